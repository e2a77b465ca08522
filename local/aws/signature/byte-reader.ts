/** A stream of bytes, of which some are held until it is known what they are. */
export class ByteReader {
  readonly #source: AsyncIterator<Buffer>;
  #held: Buffer;

  constructor(body: AsyncIterable<Buffer>, first: Buffer = Buffer.alloc(0)) {
    this.#source = body[Symbol.asyncIterator]();
    this.#held = first;
  }

  /** What has come and has not been taken. */
  get held(): Buffer {
    return this.#held;
  }

  /** Takes bytes from the front, and deletes some more after them. */
  take(length: number, skip = 0): Buffer {
    const taken = this.#held.subarray(0, length);
    this.#held = this.#held.subarray(length + skip);
    return taken;
  }

  /** Waits for more bytes; false once there are none. */
  async more(): Promise<boolean> {
    const next = await this.#source.next();
    if (next.done) return false;
    this.#held = this.#held.length === 0 ? next.value : Buffer.concat([this.#held, next.value]);
    return true;
  }
}
