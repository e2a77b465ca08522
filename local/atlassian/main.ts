import { parseArgs } from 'node:util';

import { startSimulator } from './server/simulator.ts';

// The simulator as a process of its own: prints one line of JSON and runs until it is told to stop, or its parent is gone.
const { values } = parseArgs({ options: { port: { type: 'string', default: '0' } } });
const { url, targets, close } = await startSimulator({ port: Number(values.port) });
console.log(JSON.stringify({ url, targets }));

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    void close();
  });
}
if (process.connected) {
  process.once('disconnect', () => process.exit(0));
  process.send?.({ url, targets }, () => undefined); // a parent that is gone already needs no answer
}
