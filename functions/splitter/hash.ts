/** Two independent 32-bit hashes of a text. */
export interface TextHash {
  high: number;
  low: number;
}

/**
 * Hashes a text into `into`: MurmurHash3's rounds, two characters a block, in two lanes with the constants of its 32-bit
 * and 128-bit forms. Written out because Node's own hashes cost ten times as much for texts this short.
 */
export function hashText(text: string, into: TextHash): void {
  const { length } = text;
  let high = 0x9747b28c ^ length;
  let low = 0x5bd1e995 ^ length;
  for (let index = 0; index < length; index += 2) {
    const block = text.charCodeAt(index) | (index + 1 < length ? text.charCodeAt(index + 1) << 16 : 0);
    let mixed = Math.imul(block, 0xcc9e2d51);
    mixed = Math.imul((mixed << 15) | (mixed >>> 17), 0x1b873593);
    high ^= mixed;
    high = Math.imul((high << 13) | (high >>> 19), 5) + 0xe6546b64;
    mixed = Math.imul(block, 0x239b961b);
    mixed = Math.imul((mixed << 16) | (mixed >>> 16), 0xab0e9789);
    low ^= mixed;
    low = Math.imul((low << 17) | (low >>> 15), 5) + 0x0bcaa747;
  }
  into.high = finish(high);
  into.low = finish(low);
}

function finish(hash: number): number {
  let mixed = hash ^ (hash >>> 16);
  mixed = Math.imul(mixed, 0x85ebca6b);
  mixed ^= mixed >>> 13;
  mixed = Math.imul(mixed, 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
