import { parseArgs } from 'node:util';

import { startSimulator } from './simulator.ts';

// The simulator as a process of its own: prints one line of JSON and runs until it is told to stop.
const { values } = parseArgs({ options: { port: { type: 'string', default: '0' } } });
const { url, targets, close } = await startSimulator({ port: Number(values.port) });
console.log(JSON.stringify({ url, targets }));

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    void close();
  });
}
