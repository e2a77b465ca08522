import type { ServerResponse } from 'node:http';

import type { Answer } from './answer.ts';
import type { Fault } from './faults.ts';

export interface Sending {
  readonly fault?: Fault | undefined;
  readonly hangMs: number;
}

let answers = 0;

/** Sends an answer, or whatever a fault makes of it. */
export function send(response: ServerResponse, answer: Answer, { fault, hangMs }: Sending): void {
  switch (fault?.kind) {
    case 'resetBefore':
    case 'resetAfter':
      response.socket?.resetAndDestroy();
      return;
    case 'hangBefore':
    case 'hangAfter':
      setTimeout(() => response.socket?.destroy(), hangMs).unref();
      return;
    case 'truncated':
      truncate(response, answer);
      return;
    case 'notJson':
      whole(response, { ...answer, status: answer.status === 204 ? 200 : answer.status }, HTML, 'text/html');
      return;
    default:
      whole(response, answer, contentOf(answer), answer.text === undefined ? JSON_TYPE : 'text/plain;charset=UTF-8');
  }
}

const JSON_TYPE = 'application/json;charset=UTF-8';
const HTML = '<!DOCTYPE html><html><body>Something went wrong.</body></html>';

const contentOf = ({ body, text }: Answer): string => text ?? (body === undefined ? '' : JSON.stringify(body));

function whole(response: ServerResponse, answer: Answer, content: string, type: string): void {
  // A 204 has neither body nor type; everything of Atlassian's carries a trace id.
  const described = content === '' ? {} : { 'content-type': type };
  const length = answer.status === 204 ? {} : { 'content-length': Buffer.byteLength(content) };
  response.writeHead(answer.status, { ...described, ...length, 'atl-traceid': traceId(), ...answer.headers });
  response.end(content);
}

/** Promises the whole and sends half of it. */
function truncate(response: ServerResponse, answer: Answer): void {
  const content = contentOf(answer);
  response.writeHead(answer.status === 204 ? 200 : answer.status, {
    'content-type': JSON_TYPE,
    'content-length': Math.max(Buffer.byteLength(content), 2),
    'atl-traceid': traceId(),
    ...answer.headers,
  });
  response.write(content.slice(0, content.length >>> 1) || '{', () => response.socket?.destroy());
}

/** 32 hexadecimal digits, as Atlassian's are. */
function traceId(): string {
  answers += 1;
  return answers.toString(16).padStart(32, '0');
}
