/** The root of every deliberate error: a stable code, whether another try makes sense, and the cause it came from. */
export abstract class RollcallError extends Error {
  abstract readonly code: string;
  /** True when the same thing may succeed later without anybody changing anything. */
  abstract readonly temporary: boolean;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}
