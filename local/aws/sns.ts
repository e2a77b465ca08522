import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import * as z from 'zod';

import type { AwsCall } from './access-control.ts';
import { asRefusal, listen, readBody } from './json-service.ts';
import { badRequest, notFound, ServiceRefusal } from './service-refusal.ts';
import { verifySignature } from './signature/signature.ts';
import type { Credentials } from './signature/signing-key.ts';
import type { TopicDescription } from './template/description.ts';

/** What somebody published to a topic. */
export interface Published {
  readonly topicArn: string;
  readonly subject: string;
  /** By protocol; `default` is for those that have none of their own. */
  readonly messages: Readonly<Record<string, string>>;
  readonly attributes: Readonly<Record<string, string>>;
}

export interface TopicsOptions {
  readonly topics: readonly TopicDescription[];
  readonly credentials: Credentials;
  readonly region: string;
  readonly port?: number | undefined;
  readonly record: (call: AwsCall) => void;
  /** Where queues that subscribe are served. */
  readonly sqs: SQSClient;
  readonly queueUrlOf: (arn: string) => string;
  /** Stands for the mail boxes and addresses that nothing is sent to from here. */
  readonly published: (publication: Published) => void;
}

/** SNS's Publish on loopback, in its Query protocol: queues that subscribe get what their filters let through. Nothing else of SNS's API is there. */
export const startTopics = (
  options: TopicsOptions,
): Promise<{ readonly url: string; readonly close: () => Promise<void> }> =>
  listen((message, response) => void serve(options, message, response), options.port);

async function serve(options: TopicsOptions, message: IncomingMessage, response: ServerResponse): Promise<void> {
  const requestId = randomUUID();
  const { status, xml } = await answer(options, message).then(
    (messageId) => ({ status: 200, xml: `<PublishResult><MessageId>${messageId}</MessageId></PublishResult>` }),
    (error: unknown) => {
      const { status: refused, code, message: why } = asRefusal(error);
      const type = refused < 500 ? 'Sender' : 'Receiver';
      return {
        status: refused,
        xml: `<Error><Type>${type}</Type><Code>${code}</Code><Message>${escapeXml(why)}</Message></Error>`,
      };
    },
  );
  const element = status === 200 ? 'PublishResponse' : 'ErrorResponse';
  response.writeHead(status, { 'content-type': 'text/xml', 'x-amzn-requestid': requestId });
  response.end(
    `<${element} xmlns="http://sns.amazonaws.com/doc/2010-03-31/">${xml}<ResponseMetadata><RequestId>${requestId}</RequestId></ResponseMetadata></${element}>`,
  );
}

const escapeXml = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

async function answer(options: TopicsOptions, message: IncomingMessage): Promise<string> {
  const { topics, credentials, region, record, published } = options;
  const body = await readBody(message);
  const { method = 'POST', url = '/', headersDistinct: headers } = message;
  const verifier = { credentials, region, service: 'sns', nowMs: Date.now() } as const;
  const { accessKeyId } = await verifySignature({ method, url, headers }, verifier, body);
  const fields = new URLSearchParams(body.toString());
  const action = fields.get('Action') ?? '';
  if (action !== 'Publish')
    throw new ServiceRefusal(501, 'NotImplemented', `This server does not implement ${action}.`);
  const publication = readPublication(fields);
  const { topicArn } = publication;
  record({ service: 'sns', action: 'sns:Publish', resource: topicArn, accessKeyId, bytes: body.length });
  const topic = topics.find(({ arn }) => arn === topicArn);
  if (!topic) throw notFound('NotFound', 'Topic does not exist');
  const messageId = randomUUID();
  published(publication);
  await Promise.all(
    topic.subscriptions
      .filter(({ protocol, filter }) => protocol === 'sqs' && isLetThrough(filter, publication.attributes))
      .map(({ endpoint }) =>
        options.sqs.send(
          new SendMessageCommand({
            QueueUrl: options.queueUrlOf(endpoint),
            MessageBody: notificationOf(publication, messageId),
          }),
        ),
      ),
  );
  return messageId;
}

/** The most of a message with its attributes, and of a subject. (Amazon SNS API reference, Publish.) */
const MESSAGE_BYTES = 262_144;
const SUBJECT = /^[\x21-\x7e][\x20-\x7e]{0,98}$/;

const messagesSchema = z.record(z.string(), z.string()).refine(({ default: text }) => text !== undefined);

function readPublication(fields: URLSearchParams): Published {
  const [topicArn = '', subject = '', text = ''] = ['TopicArn', 'Subject', 'Message'].map(
    (name) => fields.get(name) ?? '',
  );
  if (text === '' || Buffer.byteLength(text) > MESSAGE_BYTES)
    throw badRequest('InvalidParameter', 'Invalid parameter: Message too long or empty');
  if (subject !== '' && !SUBJECT.test(subject)) throw badRequest('InvalidParameter', 'Invalid parameter: Subject');
  return { topicArn, subject, messages: readMessages(fields, text), attributes: readAttributes(fields) };
}

function readMessages(fields: URLSearchParams, text: string): Published['messages'] {
  if (fields.get('MessageStructure') !== 'json') return { default: text };
  try {
    return messagesSchema.parse(JSON.parse(text));
  } catch {
    throw badRequest(
      'InvalidParameter',
      'Invalid parameter: Message Structure - No default entry in JSON message body',
    );
  }
}

function readAttributes(fields: URLSearchParams): Record<string, string> {
  const attributes: Record<string, string> = {};
  for (let entry = 1; fields.has(`MessageAttributes.entry.${entry}.Name`); entry += 1) {
    const of = (part: string): string => fields.get(`MessageAttributes.entry.${entry}.${part}`) ?? '';
    const [name, type, value] = [of('Name'), of('Value.DataType'), of('Value.StringValue')];
    if (type !== 'String' || value === '')
      throw badRequest('ParameterValueInvalid', `The message attribute '${name}' must contain non-empty text.`);
    attributes[name] = value;
  }
  return attributes;
}

/** Of a filter policy over attributes, the exact texts alone. (Amazon SNS developer guide, filter policies.) */
const isLetThrough = (
  filter: TopicDescription['subscriptions'][number]['filter'],
  attributes: Published['attributes'],
): boolean => Object.entries(filter).every(([name, values]) => values.includes(attributes[name] ?? ''));

/** What a queue gets, unless it asked for raw messages. (Amazon SNS developer guide, fanout to SQS.) */
const notificationOf = ({ topicArn, subject, messages, attributes }: Published, messageId: string): string =>
  JSON.stringify({
    Type: 'Notification',
    MessageId: messageId,
    TopicArn: topicArn,
    Subject: subject,
    Message: messages['sqs'] ?? messages['default'],
    Timestamp: new Date().toISOString(),
    MessageAttributes: Object.fromEntries(
      Object.entries(attributes).map(([name, value]) => [name, { Type: 'String', Value: value }]),
    ),
  });
