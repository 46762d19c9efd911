# SPDX-License-Identifier: MIT
"""Evaluates what a test wants to know: a file has a JSON list of expressions, the answer is written to the same name with ".out", for each the id
of its value, or the error as text."""
import builtins
import collections
import gc
import json
import sys


def evaluate(path):
    names = {'sys': sys, 'gc': gc, 'builtins': builtins, 'collections': collections, 'importlib': sys.modules.get('importlib')}
    with open(path, encoding='ascii') as file:
        expressions = json.load(file)
    answers = []
    for expression in expressions:
        try:
            answers.append(id(eval(expression, dict(names))))
        except Exception as error:
            answers.append('%s: %s' % (type(error).__name__, error))
    with open(path + '.out', 'w', encoding='ascii') as file:
        json.dump(answers, file)
