// TypeScript's own parser: names of files on stdin, their imports on stdout as oracle.jq writes them. What it
// refuses is named on stderr.
'use strict';
const fs = require('fs');
const ts = require('typescript');

// The type checker alone sees an import if it, or each of its names, says so.
function marked(node, names) {
	return node.isTypeOnly || (names && names.length > 0 && names.every(name => name.isTypeOnly));
}

function imported(node) {
	const clause = node.importClause, bindings = clause && !clause.name && clause.namedBindings;
	return Boolean(clause && marked(clause, bindings && bindings.elements));
}

// What a node imports: [literal, form, whether for types alone], or nothing.
function describe(node) {
	if (ts.isImportDeclaration(node))
		return [node.moduleSpecifier, 'import', imported(node)];
	if (ts.isExportDeclaration(node) && node.moduleSpecifier)
		return [node.moduleSpecifier, 'export', marked(node, node.exportClause && node.exportClause.elements)];
	if (ts.isImportEqualsDeclaration(node) && ts.isExternalModuleReference(node.moduleReference))
		return [node.moduleReference.expression, 'require', node.isTypeOnly];
	if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument))
		return [node.argument.literal, 'call', true];
	if (!ts.isCallExpression(node) || !node.arguments.length)
		return undefined;
	const callee = node.expression, first = node.arguments[0];
	if (callee.kind === ts.SyntaxKind.ImportKeyword)
		return [first, 'call', false];
	if (ts.isIdentifier(callee) && callee.text === 'require')
		return [first, 'require', false];
	if (ts.isPropertyAccessExpression(callee) && callee.name.text === 'resolve' &&
			ts.isIdentifier(callee.expression) && callee.expression.text === 'require')
		return [first, 'resolve', false];
	return undefined;
}

function place(file, offset) {
	const at = file.getLineAndCharacterOfPosition(offset);
	const start = file.getLineStarts()[at.line];
	const mark = at.line === 0 && file.text.charCodeAt(0) === 0xfeff ? 3 : 0;
	return [at.line + 1, Buffer.byteLength(file.text.slice(start, offset)) + 1 - mark];
}

function imports(path) {
	const file = ts.createSourceFile(path, fs.readFileSync(path, 'utf8'), ts.ScriptTarget.Latest, false);
	const lines = [], nodes = [file];
	const add = (offset, form, type, spec) =>
		lines.push([path, ...place(file, offset), form, type || file.isDeclarationFile ? 'type' : '-', spec, ''].join('\t'));
	if (file.parseDiagnostics.length) {
		process.stderr.write(path + '\n');
		return lines;
	}
	for (const reference of file.referencedFiles)
		add(reference.pos - 1, 'reference-path', true, reference.fileName);
	for (const reference of file.typeReferenceDirectives)
		add(reference.pos - 1, 'reference-types', true, reference.fileName);
	while (nodes.length) {
		const node = nodes.pop(), found = describe(node);
		if (found && ts.isStringLiteralLike(found[0]) && found[0].text)
			add(found[0].getStart(file), found[1], found[2], found[0].text);
		ts.forEachChild(node, child => { nodes.push(child); });
	}
	return lines;
}

for (const path of fs.readFileSync(0, 'utf8').split('\n'))
	if (path) {
		const lines = imports(path);
		if (lines.length)
			process.stdout.write(lines.join('\n') + '\n');
	}
