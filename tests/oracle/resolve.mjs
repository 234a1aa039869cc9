// What node and TypeScript resolve: the lines of resolve.jq on stdin, the same on stdout with the file that each
// import leads to. Files of TypeScript are asked of its compiler, with the nearest tsconfig.json; those of JavaScript
// of node, which a bundler follows, and where node finds nothing, of the compiler.
//
//	resolve.mjs DIR     the node_modules that TypeScript is in
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const ts = createRequire(path.join(process.argv[2], 'x.js'))('typescript');
const lines = fs.readFileSync(0, 'utf8').split('\n').filter(Boolean).map(line => line.split('\t'));
const files = new Set(fs.readFileSync(3, 'utf8').split('\n'));
const configs = new Map(), caches = new Map(), requires = new Map();

// "loader!./x?query": what bundlers add is no part of the name.
function plain(spec) {
	return spec.replace(/^.*!(?=.)/, '').replace(/(?<=.)\?.*$/, '');
}

function options(folder) {
	const file = ts.findConfigFile(folder, ts.sys.fileExists) ?? '';
	if (!configs.has(file)) {
		const read = file ? ts.readConfigFile(file, ts.sys.readFile).config ?? {} : {};
		const parsed = ts.parseJsonConfigFileContent({ ...read, files: [] }, ts.sys, path.dirname(file || '/'));
		const kinds = ts.ModuleResolutionKind, kind = parsed.options.moduleResolution;
		configs.set(file, {
			...parsed.options,
			allowJs: true,
			resolveJsonModule: true,
			moduleResolution: kind === kinds.Node16 || kind === kinds.NodeNext ? kind : kinds.Bundler,
		});
	}
	return configs.get(file);
}

function byCompiler(file, form, spec) {
	const chosen = options(path.dirname(file)), { CommonJS, ESNext } = ts.ModuleKind;
	const mode = form === 'require' || form === 'resolve' ? CommonJS : ESNext;
	if (form === 'reference-path')
		return path.resolve(path.dirname(file), spec);
	if (form === 'reference-types')
		return ts.resolveTypeReferenceDirective(spec, file, chosen, ts.sys).resolvedTypeReferenceDirective?.resolvedFileName;
	if (!caches.has(chosen))
		caches.set(chosen, ts.createModuleResolutionCache('/', name => name, chosen));
	return ts.resolveModuleName(spec, file, chosen, ts.sys, caches.get(chosen), undefined, mode)
		.resolvedModule?.resolvedFileName;
}

function isFile(name) {
	return fs.statSync(name, { throwIfNoEntry: false })?.isFile();
}

function byImport(file, spec) {
	try {
		const url = import.meta.resolve(spec, pathToFileURL(file));
		if (!url.startsWith('file:'))
			return url;
		return isFile(fileURLToPath(url)) ? fs.realpathSync(fileURLToPath(url)) : undefined;
	} catch {
		return undefined;
	}
}

function byRequire(file, spec) {
	if (!requires.has(file))
		requires.set(file, createRequire(file));
	try {
		return requires.get(file).resolve(spec);
	} catch {
		return undefined;
	}
}

function wanted(file, form, spec) {
	if (/\.[cm]?tsx?$/.test(file))
		return byCompiler(file, form, spec);
	const first = form === 'require' || form === 'resolve' ? undefined : byImport(file, spec);
	return first ?? byRequire(file, spec) ?? byCompiler(file, form, spec);
}

for (const line of lines) {
	const found = wanted(line[0], line[3], plain(line[4]));
	line[6] = files.has(found) ? found : '-';
	process.stdout.write(line.join('\t') + '\n');
}
