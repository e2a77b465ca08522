// An SQS that accepts every batch and forgets it, in a process of its own: what remains is what a client costs.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

process.on('disconnect', () => process.exit(0));

const server = createServer((request, response) => {
  const parts: Buffer[] = [];
  request.on('data', (part: Buffer) => parts.push(part));
  request.on('end', () => {
    const body = answerTo(Buffer.concat(parts).toString('latin1'));
    response.writeHead(200, { 'content-type': 'application/x-amz-json-1.0', 'content-length': body.length });
    response.end(body);
  });
});
server.keepAliveTimeout = 75_000;
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo; // it listens on TCP
  process.send?.({ url: `http://127.0.0.1:${port}` });
});

function answerTo(text: string): string {
  const ids = [...text.matchAll(/"Id":"(\d+)"/g)].map(([, id]) => id);
  const successful = ids.map(
    (id) => `{"Id":"${id}","MessageId":"00000000-0000-4000-8000-000000000000","MD5OfMessageBody":""}`,
  );
  return `{"Successful":[${successful.join(',')}],"Failed":[]}`;
}
