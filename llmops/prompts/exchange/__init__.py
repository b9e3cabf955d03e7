"""Moving prompts in and out: promptfoo, GitHub Models, LangChain, Prompty, prompt registries.

A source is read into `Draft`s (what it says, in our words, with notes on what
could not be held), each is written as a `.prompty` text, and all of them are
checked before the first file is touched. Reading keeps one promise: rendered
with the same values, the prompt gives the messages that the source's own
engine gives, byte for byte; what cannot keep it is refused.
"""
