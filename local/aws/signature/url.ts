import { badRequest } from '../service-refusal.ts';

/** Path and query of a URL as they were sent; `URL` would resolve `..` and `//`, which S3 takes as parts of a key. */
export function splitUrl(url: string): { readonly path: string; readonly query: URLSearchParams } {
  const at = url.indexOf('?');
  if (at === -1) return { path: url, query: new URLSearchParams() };
  return { path: url.slice(0, at), query: new URLSearchParams(url.slice(at + 1)) };
}

/** Percent-encodes by RFC 3986, which is stricter than JavaScript. */
export const encodePart = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);

/** Decodes a part of a path; throws InvalidURI when its percent-encoding is not valid. */
export function decodePart(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw badRequest('InvalidURI', "Couldn't parse the specified URI.");
  }
}
