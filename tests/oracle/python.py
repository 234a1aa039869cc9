"""Python's own parser: names of files on stdin, their imports on stdout as oracle.jq writes them.

What it refuses is named on stderr. A call imports if its function is called
__import__ or import_module, wherever it is from, and its first argument is one
literal.
"""
import ast
import os
import sys
import warnings


def absolute(name, level, package):
    if not level or not package:
        return '.' * level + name
    parts = package.split('.')
    parts = parts[:len(parts) - level + 1]
    return '.'.join(parts + [name] if name else parts)


def literal(node):
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def argument(call, number, name):
    for keyword in call.keywords:
        if keyword.arg == name:
            return keyword.value
    return call.args[number] if len(call.args) > number else None


def imports(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias, 'import', alias.name, ''
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                yield alias, 'from', '.' * node.level + (node.module or ''), alias.name
        elif isinstance(node, ast.Call):
            function = getattr(node.func, 'id', getattr(node.func, 'attr', None))
            if function not in ('__import__', 'import_module'):
                continue
            first = argument(node, 0, 'name')
            name = literal(first)
            if name:
                rest = name.lstrip('.')
                package = argument(node, 1, 'package')
                yield first, 'call', absolute(
                    rest, len(name) - len(rest), package and literal(package)), ''


def main():
    warnings.simplefilter('ignore')
    sys.setrecursionlimit(20000)
    for path in sys.stdin.buffer.read().splitlines():
        try:
            with open(path, 'rb') as file:
                tree = ast.parse(file.read(), path)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            print(os.fsdecode(path), file=sys.stderr)
            continue
        for at, form, spec, name in imports(tree):
            print(os.fsdecode(path), at.lineno, at.col_offset + 1, form, '-', spec, name, sep='\t')


main()
