// lexer.mjs NODE_MODULES: how fast es-module-lexer lexes the files named on stdin that it takes, in MB by second of
// processor time; reading them is not counted.
import fs from 'node:fs';
import { pathToFileURL } from 'node:url';

const { init, parse } = await import(pathToFileURL(`${process.argv[2]}/es-module-lexer/dist/lexer.js`));
await init;
let bytes = 0, time = 0;
for (const path of fs.readFileSync(0, 'utf8').split('\n')) {
	if (!/\.m?js$/.test(path))
		continue;
	const text = fs.readFileSync(path, 'utf8');
	const start = process.cpuUsage();
	try {
		parse(text);
	} catch {
		continue;
	}
	const used = process.cpuUsage(start);
	time += used.user + used.system;
	bytes += Buffer.byteLength(text);
}
console.log((bytes / time).toFixed(1));
