import { DatabaseSync, type SQLInputValue, type StatementResultingChanges, type StatementSync } from 'node:sqlite';

type Values = Readonly<Record<string, SQLInputValue>>;

/** The messages of all queues in one SQLite file: what a transaction did outlives the process. Times are milliseconds since 1970. */
export interface MessageDatabase {
  readonly nowMs: () => number;
  /** Does all that `work` does, or nothing when it throws. */
  readonly transact: <Result>(work: () => Result) => Result;
  readonly run: (statement: string, values: Values) => StatementResultingChanges;
  /** The rows of a statement, as its columns say. */
  readonly rows: <Row>(statement: string, values: Values) => readonly Row[];
  /** Says that something happened in a queue; `changed` is told of it after the transaction. */
  readonly touch: (queueName: string) => void;
  readonly close: () => void;
}

/** Opens the file, which is created when it is not there; for one process at a time. */
export function openMessageDatabase(
  path: string,
  { nowMs, changed }: { readonly nowMs: () => number; readonly changed: (queueName: string) => void },
): MessageDatabase {
  const database = new DatabaseSync(path);
  // What is written is the operating system's at once and outlives a kill; a sync to the disk would cost a thousandfold.
  database.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF');
  database.exec('PRAGMA temp_store = MEMORY'); // where each statement with triggers keeps what it could have to undo
  database.exec(SCHEMA);
  const prepared = new Map<string, StatementSync>();
  const touched = new Set<string>();
  const prepare = (text: string): StatementSync => {
    const statement = prepared.get(text) ?? database.prepare(text);
    prepared.set(text, statement);
    return statement;
  };
  return {
    nowMs,
    transact: (work) => {
      touched.clear();
      prepare('BEGIN').run();
      try {
        const result = work();
        prepare('COMMIT').run();
        return result;
      } catch (error) {
        if (database.isTransaction) prepare('ROLLBACK').run(); // SQLite has done so itself when the disk is full
        throw error;
      } finally {
        touched.forEach(changed);
      }
    },
    run: (statement, values) => prepare(statement).run(values),
    rows: <Row>(statement: string, values: Values) => prepare(statement).all(values) as unknown as readonly Row[], // its columns are in its text
    touch: (queueName) => void touched.add(queueName),
    close: () => database.close(),
  };
}

const COUNT_NEW = `
  INSERT INTO message_groups (queue, name, visible, in_flight, delayed, turn)
    VALUES (new.queue, new.message_group, new.state = 'visible', new.state = 'in flight', new.state = 'delayed', new.id)
    ON CONFLICT DO UPDATE SET visible = visible + excluded.visible, in_flight = in_flight + excluded.in_flight,
      delayed = delayed + excluded.delayed;`;
const DISCOUNT_OLD = `
  UPDATE message_groups SET visible = visible - (old.state = 'visible'), in_flight = in_flight - (old.state = 'in flight'),
      delayed = delayed - (old.state = 'delayed')
    WHERE queue = old.queue AND name = old.message_group;
  DELETE FROM message_groups
    WHERE queue = old.queue AND name = old.message_group AND visible + in_flight + delayed = 0;`;

/**
 * A message is visible, in flight (received and not deleted) or delayed. Its group, which has the empty name when it has none, counts
 * how many of each it has, so that neither a receive nor a count looks at more than it gives.
 */
const SCHEMA = `
CREATE TABLE IF NOT EXISTS messages (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  queue TEXT NOT NULL,
  message_group TEXT NOT NULL,
  state TEXT NOT NULL, -- 'visible', 'in flight' or 'delayed'
  visible_at INTEGER NOT NULL,
  message_id TEXT NOT NULL,
  body TEXT NOT NULL,
  attributes TEXT NOT NULL,
  sent_at INTEGER NOT NULL,
  receives INTEGER NOT NULL DEFAULT 0,
  first_received_at INTEGER,
  deduplication_id TEXT,
  came_from TEXT
) STRICT;
CREATE INDEX IF NOT EXISTS visible ON messages (queue, message_group, id) WHERE state = 'visible';
CREATE INDEX IF NOT EXISTS hidden ON messages (queue, visible_at) WHERE state <> 'visible';
CREATE INDEX IF NOT EXISTS age ON messages (queue, sent_at);

CREATE TABLE IF NOT EXISTS message_groups (
  queue TEXT NOT NULL,
  name TEXT NOT NULL,
  visible INTEGER NOT NULL, in_flight INTEGER NOT NULL, delayed INTEGER NOT NULL,
  turn INTEGER NOT NULL, -- its message that was received last, or else its first
  load INTEGER NOT NULL AS (iif(name = '', 0, in_flight)), -- messages without a group are no burden to each other
  PRIMARY KEY (queue, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS next_group ON message_groups (queue, load, turn) WHERE visible > 0;
CREATE TRIGGER IF NOT EXISTS entered AFTER INSERT ON messages BEGIN ${COUNT_NEW} END;
CREATE TRIGGER IF NOT EXISTS moved AFTER UPDATE OF queue ON messages BEGIN ${COUNT_NEW} ${DISCOUNT_OLD} END;
CREATE TRIGGER IF NOT EXISTS changed AFTER UPDATE OF state ON messages WHEN new.queue = old.queue BEGIN
  UPDATE message_groups SET
      visible = visible - (old.state = 'visible') + (new.state = 'visible'),
      in_flight = in_flight - (old.state = 'in flight') + (new.state = 'in flight'),
      delayed = delayed - (old.state = 'delayed') + (new.state = 'delayed')
    WHERE queue = new.queue AND name = new.message_group;
END;
CREATE TRIGGER IF NOT EXISTS gone AFTER DELETE ON messages BEGIN ${DISCOUNT_OLD} END;

CREATE TABLE IF NOT EXISTS sent (
  queue TEXT NOT NULL,
  scope TEXT NOT NULL,
  deduplication_id TEXT NOT NULL,
  id INTEGER NOT NULL,
  message_id TEXT NOT NULL,
  sent_at INTEGER NOT NULL,
  PRIMARY KEY (queue, scope, deduplication_id)
) STRICT, WITHOUT ROWID;`;
