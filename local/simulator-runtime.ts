// The simulator in a process of its own, so that it takes no time from the stack's.
import { startSimulator } from './atlassian/simulator.ts';

process.on('disconnect', () => process.exit(0)); // the stack is gone, however it went
const [port] = process.argv.slice(2);
const { url, targets } = await startSimulator(port === undefined ? {} : { port: Number(port) });
process.send?.({ url, targets }, () => undefined); // a stack that is gone already needs no answer
