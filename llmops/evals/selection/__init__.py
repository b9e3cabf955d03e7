"""Which suites and cases run: an expression, what it leaves out, a sample, a limit, a shard.

case:math-*             cases whose id begins with `math-`
math-*                  the same, a bare word is a glob of ids
tag:smoke               cases with the tag, and all cases of suites with the tag
suite:qa/*              suites by their names
path:prompts/support    suites whose file, dataset or prompt is that file, or lies below it
state:modified          cases that differ from the base, new ones included
state:new               cases that the base does not have
tag:smoke,suite:qa/*    both (a comma means *and*)
tag:smoke state:new     either (white space means *or*)

What `--exclude` names, in the same words, is taken out of that. Of the rest a
sample is drawn, of the sample the first so many are taken, and these are dealt
out to shards: all shards together run what would run without them.
"""

from llmops.evals.selection.sampling import Sampled
from llmops.evals.selection.selection import CaseFilter, Selection
from llmops.evals.selection.terms import SuiteFacts, SuiteStates
from llmops.evals.shards import Shard

__all__ = ["CaseFilter", "Sampled", "Selection", "Shard", "SuiteFacts", "SuiteStates"]
