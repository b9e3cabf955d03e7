"""GROUND: frozen values and the protocols that speak in them.

Every room imports from here; nothing here imports another room. Standard
library and pydantic only, apart from `documents`, which reads YAML.
"""
