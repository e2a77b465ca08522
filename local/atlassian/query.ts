import type { Query } from './call.ts';
import type { Switches } from './switches.ts';

const NOTHING: Query = new Map();

/** A query string's parameters, decoded. Throws URIError on a broken escape, or on a bare `+` where that is refused. */
export function parseQuery(text: string, plus: Switches['plusInQuery']): Query {
  if (text === '') return NOTHING;
  if (plus === 'refuse' && text.includes('+')) throw new URIError('a bare + in a query is refused; send %20 or %2B');
  const decode = (part: string): string => decodeURIComponent(plus === 'space' ? part.replaceAll('+', ' ') : part);
  const query = new Map<string, string[]>();
  for (const pair of text.split('&')) {
    if (pair === '') continue;
    const at = pair.indexOf('=');
    const name = decode(at < 0 ? pair : pair.slice(0, at));
    const value = at < 0 ? '' : decode(pair.slice(at + 1));
    const values = query.get(name);
    if (values) values.push(value);
    else query.set(name, [value]);
  }
  return query;
}
