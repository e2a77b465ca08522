import { PublishCommand, type SNSClient } from '@aws-sdk/client-sns';

import type { Topic } from '../ports.ts';

/** One SNS topic: mail gets the text, every other protocol the JSON, and attributes are what subscribers filter by. (Amazon SNS API reference, Publish, MessageStructure.) */
export const snsTopic = ({ client, topicArn }: { readonly client: SNSClient; readonly topicArn: string }): Topic => ({
  publish: async ({ subject, text, body, attributes }) => {
    await client.send(
      new PublishCommand({
        TopicArn: topicArn,
        Subject: subject,
        MessageStructure: 'json',
        Message: JSON.stringify({ default: JSON.stringify(body), email: text }),
        MessageAttributes: Object.fromEntries(
          Object.entries(attributes)
            .filter(([, value]) => value !== '') // SNS takes no empty ones
            .map(([name, value]) => [name, { DataType: 'String', StringValue: value }]),
        ),
      }),
    );
  },
});
