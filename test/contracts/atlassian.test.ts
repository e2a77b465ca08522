import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';

import { createCloud } from '../../local/atlassian/engine/cloud-state.ts';
import { createDataCenter } from '../../local/atlassian/engine/data-center.ts';
import { seededState, targetsAt } from '../../local/atlassian/seeds/seed.ts';
import { startSimulator, type Simulator } from '../../local/atlassian/server/simulator.ts';
import type { Cloud, DataCenter } from '../../shared/atlassian/apis.ts';
import { createAtlassian, type Atlassian } from '../../shared/atlassian/atlassian.ts';
import { parseTarget } from '../../shared/aws/targets.ts';
import type { CloudTarget, DataCenterTarget } from '../../shared/target.ts';
import { cloudPort } from '../fakes/atlassian-cloud.ts';
import { dataCenterPort } from '../fakes/atlassian-data-center.ts';
import { enginePorts } from '../fakes/atlassian-watch.ts';
import { atlassianContract } from './atlassian-contract.ts';

const targetAt = (url: string, name: 'cloud' | 'data-center') =>
  parseTarget(name, JSON.stringify(targetsAt(url)[name]));

atlassianContract('the fakes', ({ ignoresActive = false } = {}) => {
  const state = seededState('default');
  const url = 'http://127.0.0.1';
  // Each target is of the type that its name says.
  const cloud = targetAt(url, 'cloud') as CloudTarget;
  const dataCenter = targetAt(url, 'data-center') as DataCenterTarget;
  return {
    cloud: cloudPort(createCloud(state.cloud, enginePorts()), { target: cloud }).apis,
    dataCenter: dataCenterPort(createDataCenter(state.dataCenter, enginePorts()), { target: dataCenter, ignoresActive })
      .apis,
  };
});

let atlassian: Atlassian;
let server: Simulator;

beforeAll(() => {
  atlassian = createAtlassian({
    clock: { now: () => new Date() },
    chance: { uuid: () => crypto.randomUUID(), random: () => 0.5 },
    workers: 1,
    responseLimitBytes: 1_000_000,
  });
});
beforeEach(async () => {
  server = await startSimulator();
});
afterEach(() => server.close());
afterAll(() => atlassian.close());

atlassianContract('the client of the simulator', async ({ ignoresActive = false } = {}) => {
  if (ignoresActive) {
    const body = JSON.stringify({ switches: { dataCenterActive: 'ignored' } });
    await fetch(`${server.url}/_simulator/behaviour`, { method: 'PATCH', body });
  }
  // Each target opens the APIs of its own type.
  return {
    cloud: atlassian.open(targetAt(server.url, 'cloud')).apis as Cloud,
    dataCenter: atlassian.open(targetAt(server.url, 'data-center')).apis as DataCenter,
  };
});
