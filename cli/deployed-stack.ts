import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';

import { CommandFailed } from './failures.ts';

/** What a deployed stack says of itself, by the names of its outputs; throws CommandFailed where there is no such stack, or where it is no pipeline of ours. */
export async function findOutputs(stackName: string): Promise<Readonly<Record<string, string>>> {
  const client = new CloudFormationClient({});
  try {
    const { Stacks: [stack] = [] } = await client.send(new DescribeStacksCommand({ StackName: stackName }));
    const outputs = Object.fromEntries(
      (stack?.Outputs ?? []).map(({ OutputKey = '', OutputValue = '' }) => [OutputKey, OutputValue]),
    );
    if (outputs['ResultsBucketName'] !== undefined) return outputs;
    throw new CommandFailed(
      `The stack ${stackName} has no output ResultsBucketName, so it is no pipeline of Rollcall's, or its deployment has not ended. The stack is named Rollcall, or Rollcall-<name of its stage>.`,
    );
  } catch (error) {
    if (!(error instanceof Error) || !/does not exist/.test(error.message)) throw error;
    const region = await client.config.region();
    throw new CommandFailed(
      `There is no stack ${stackName} in ${region}. Name the region with AWS_REGION or your profile with AWS_PROFILE; \`aws cloudformation list-stacks\` lists what is there.`,
      { cause: error },
    );
  } finally {
    client.destroy();
  }
}
