import { randomUUID } from 'node:crypto';

import type { MessageDatabase } from './message-database.ts';
import { nameIn, refused, type Queue } from './queue.ts';

/** A message as it was received. */
export interface StoredMessage {
  readonly id: number;
  readonly messageId: string;
  readonly body: string;
  /** JSON. */
  readonly attributes: string;
  /** Empty when there is none. */
  readonly group: string;
  /** FIFO alone. */
  readonly deduplicationId: string | null;
  readonly sentMs: number;
  readonly receives: number;
  readonly firstReceivedMs: number;
  /** The ARN of the queue that gave it up. */
  readonly cameFrom: string | null;
}

/** Which message, and which of its receives. */
export type Handle = Pick<StoredMessage, 'id' | 'messageId' | 'receives'>;

/** A message that a queue takes in. */
export interface NewMessage extends Pick<StoredMessage, 'body' | 'attributes' | 'group' | 'deduplicationId'> {
  readonly delayMs: number;
  /** The group in which the deduplication id counts; empty for the whole queue. */
  readonly deduplicationScope: string;
}

type Stored = Pick<StoredMessage, 'id' | 'messageId'>;

/** How long a deduplication id is remembered. Source: Amazon SQS developer guide, "Using the message deduplication ID". */
const DEDUPLICATION_MS = 5 * 60_000;

/** Stores a message; one that a FIFO queue has had already is that one. In a transaction, like everything here. */
export function storeMessage(database: MessageDatabase, { name: queue }: Queue, message: NewMessage): Stored {
  const { deduplicationId, deduplicationScope: scope } = message;
  if (deduplicationId === null) return insert(database, queue, message);
  const now = database.nowMs();
  const key = { queue, scope, deduplicationId };
  const [known] = database.rows<Stored>(
    `SELECT id, message_id AS messageId FROM sent
     WHERE queue = :queue AND scope = :scope AND deduplication_id = :deduplicationId AND sent_at > :since`,
    { ...key, since: now - DEDUPLICATION_MS },
  );
  if (known) return known;
  const stored = insert(database, queue, message);
  const row = { ...key, ...stored, now };
  database.run('INSERT OR REPLACE INTO sent VALUES (:queue, :scope, :deduplicationId, :id, :messageId, :now)', row);
  return stored;
}

function insert(database: MessageDatabase, queue: string, message: NewMessage): Stored {
  const { body, attributes, group, delayMs, deduplicationId } = message;
  const now = database.nowMs();
  const messageId = randomUUID();
  const state = delayMs > 0 ? 'delayed' : 'visible';
  const { lastInsertRowid } = database.run(
    `INSERT INTO messages
       (queue, message_group, state, visible_at, message_id, body, attributes, sent_at, deduplication_id)
     VALUES (:queue, :group, :state, :visibleAt, :messageId, :body, :attributes, :now, :deduplicationId)`,
    { queue, group, state, visibleAt: now + delayMs, messageId, body, attributes, now, deduplicationId },
  );
  database.touch(queue);
  return { id: Number(lastInsertRowid), messageId };
}

/** Takes messages into flight for so long; those that were received too often go to the dead-letter queue instead. */
export function takeMessages(
  database: MessageDatabase,
  queue: Queue,
  { most, hiddenMs }: { readonly most: number; readonly hiddenMs: number },
): readonly StoredMessage[] {
  const taken: StoredMessage[] = [];
  showDue(database, queue);
  for (let isSettled = false; !isSettled;) {
    const turns = nextTurns(database, queue, most - taken.length);
    const messages = turns.flatMap((turn) => takeTurn(database, queue, turn, hiddenMs));
    const received = messages.filter((message) => !giveUp(database, queue, message));
    taken.push(...received);
    isSettled = received.length === messages.length; // or else others come in the place of those that were given up
  }
  if (taken.length > 0) database.touch(queue.name); // whoever waits there has another time to wait for
  return taken;
}

function showDue(database: MessageDatabase, { name: queue }: Queue): void {
  const due = `queue = :queue AND state <> 'visible' AND visible_at <= :now`;
  database.run(`UPDATE messages SET state = 'visible' WHERE ${due}`, { queue, now: database.nowMs() });
}

/** A group, and how many of its messages it is the turn of. */
interface Turn {
  readonly group: string;
  readonly visible: number;
  readonly load: number;
  count: number;
}

/**
 * FIFO: all messages of groups that have nothing in flight. Standard: each message from a group that has the fewest in flight by
 * then. Among equals, what was sent first.
 */
function nextTurns(database: MessageDatabase, { name: queue, settings }: Queue, most: number): readonly Turn[] {
  const groups = database.rows<Turn>(
    `SELECT name AS "group", visible, load, 0 AS count FROM message_groups
     WHERE queue = :queue AND visible > 0 ORDER BY load, turn LIMIT :most`,
    { queue, most },
  );
  const turns = settings.FifoQueue ? groups.filter(({ load }) => load === 0) : groups;
  const loadOf = ({ load, count }: Turn): number => (settings.FifoQueue ? 0 : load + count);
  for (let rest = most; rest > 0; rest -= 1) {
    const waiting = turns.filter(({ visible, count }) => count < visible);
    const [next] = waiting.toSorted((one, other) => loadOf(one) - loadOf(other));
    if (next) next.count += 1;
  }
  return turns.filter(({ count }) => count > 0);
}

function takeTurn(
  database: MessageDatabase,
  { name: queue }: Queue,
  { group, count }: Turn,
  hiddenMs: number,
): readonly StoredMessage[] {
  const now = database.nowMs();
  const rows = database.rows<StoredMessage>(
    `UPDATE messages SET state = 'in flight', visible_at = :visibleAt, receives = receives + 1,
       first_received_at = coalesce(first_received_at, :now)
     WHERE id IN (
       SELECT id FROM messages WHERE queue = :queue AND message_group = :group AND state = 'visible' ORDER BY id LIMIT :count)
     RETURNING id, message_id AS messageId, body, attributes, message_group AS "group", sent_at AS sentMs, receives,
       first_received_at AS firstReceivedMs, deduplication_id AS deduplicationId, came_from AS cameFrom`,
    { queue, group, count, now, visibleAt: now + hiddenMs },
  );
  const inOrder = rows.toSorted((one, other) => one.id - other.id);
  const last = inOrder.at(-1)?.id ?? 0;
  database.run('UPDATE message_groups SET turn = :last WHERE queue = :queue AND name = :group', { queue, group, last });
  return inOrder;
}

/** Whether a message was received too often: then it is in the dead-letter queue, and this receive was none. */
function giveUp(database: MessageDatabase, { arn, settings }: Queue, { id, receives }: StoredMessage): boolean {
  const { deadLetterTargetArn = '', maxReceiveCount = Infinity } = settings.RedrivePolicy ?? {};
  if (receives <= maxReceiveCount) return false;
  const to = nameIn(deadLetterTargetArn);
  // The retention begins anew for FIFO queues alone. Source: Amazon SQS developer guide, "Dead-letter queues".
  const sentAt = settings.FifoQueue ? database.nowMs() : null;
  database.run(
    `UPDATE messages SET queue = :to, state = 'visible', came_from = :arn, receives = receives - 1,
       sent_at = coalesce(:sentAt, sent_at)
     WHERE id = :id`,
    { id, to, arn, sentAt },
  );
  database.touch(to);
  return true;
}

/** Deletes a message unless it was received again since; throws ServiceRefusal where a FIFO queue says so. */
export function deleteMessage(database: MessageDatabase, { name: queue, settings }: Queue, handle: Handle): void {
  const found = findMessage(database, queue, handle);
  if (!found) return;
  const isLatest = found.receives === handle.receives;
  if (settings.FifoQueue && !(isLatest && found.visibleAt > database.nowMs()))
    throw refused(
      'InvalidParameterValue',
      'The value of ReceiptHandle is invalid. Reason: The receipt handle has expired.',
    );
  if (!isLatest) return;
  database.run('DELETE FROM messages WHERE id = :id', { id: handle.id });
  if (settings.FifoQueue) database.touch(queue); // whose group goes on
}

/** Hides a message in flight for so long from now on; throws ServiceRefusal when it is not in flight. */
export function hideMessage(database: MessageDatabase, { name: queue }: Queue, handle: Handle, hiddenMs: number): void {
  const found = findMessage(database, queue, handle);
  const now = database.nowMs();
  if (found?.receives !== handle.receives || found.visibleAt <= now)
    throw refused(
      'MessageNotInflight',
      'The message does not exist or is not available for visibility timeout change.',
    );
  const hidden = { id: handle.id, visibleAt: now + hiddenMs };
  database.run('UPDATE messages SET visible_at = :visibleAt WHERE id = :id', hidden);
  database.touch(queue);
}

function findMessage(database: MessageDatabase, queue: string, { id, messageId }: Handle) {
  const [found] = database.rows<{ readonly receives: number; readonly visibleAt: number }>(
    'SELECT receives, visible_at AS visibleAt FROM messages WHERE id = :id AND queue = :queue AND message_id = :messageId',
    { id, queue, messageId },
  );
  return found;
}

/** How many messages of each kind a queue has. */
export function countMessages(database: MessageDatabase, queue: Queue) {
  showDue(database, queue);
  const [counts] = database.rows<{ readonly visible: number; readonly inFlight: number; readonly delayed: number }>(
    `SELECT coalesce(sum(visible), 0) AS visible, coalesce(sum(in_flight), 0) AS inFlight, coalesce(sum(delayed), 0) AS delayed
     FROM message_groups WHERE queue = :queue`,
    { queue: queue.name },
  );
  return counts ?? { visible: 0, inFlight: 0, delayed: 0 };
}

/** When the first of a queue's hidden messages becomes visible. */
export function nextVisibleMs(database: MessageDatabase, { name: queue }: Queue): number {
  const statement = `SELECT min(visible_at) AS ms FROM messages WHERE queue = :queue AND state <> 'visible'`;
  return database.rows<{ readonly ms: number | null }>(statement, { queue })[0]?.ms ?? Infinity;
}

/** Deletes all messages that are there. */
export function purgeMessages(database: MessageDatabase, { name: queue }: Queue): void {
  database.run('DELETE FROM messages WHERE queue = :queue', { queue });
}

/** Deletes what the queue has kept for as long as it keeps anything. */
export function expireMessages(database: MessageDatabase, { name: queue, settings }: Queue): void {
  const until = database.nowMs() - settings.MessageRetentionPeriod * 1_000;
  database.run('DELETE FROM messages WHERE queue = :queue AND sent_at <= :until', { queue, until });
  const since = database.nowMs() - DEDUPLICATION_MS;
  database.run('DELETE FROM sent WHERE queue = :queue AND sent_at <= :since', { queue, since });
}

/** Shows what is in flight: for a start before which everybody has died who could hold a message. */
export function releaseMessages(database: MessageDatabase, { name: queue }: Queue): void {
  const inFlight = `queue = :queue AND state <> 'visible' AND state = 'in flight'`;
  database.run(`UPDATE messages SET state = 'visible', visible_at = :now WHERE ${inFlight}`, {
    queue,
    now: database.nowMs(),
  });
}
