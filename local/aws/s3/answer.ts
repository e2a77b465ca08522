import { xmlDocument, type XmlElements } from './xml.ts';

/** What a request comes to; `release` is called once the body is sent or given up. */
export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string | number>>;
  readonly body?: string | Uint8Array | AsyncIterable<Uint8Array>;
  readonly release?: () => void;
}

/** A 200 with an XML body. */
export const xmlAnswer = (root: string, content: XmlElements): Answer => ({
  status: 200,
  headers: { 'content-type': 'application/xml' },
  body: xmlDocument(root, content),
});
