// What `cdk` runs: the stage that `-c stage=<file.json>` or ROLLCALL_STAGE names, or the defaults, checked by cdk-nag.
import { App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';

import { pipelineStack } from './pipeline-stack.ts';
import { completeSettings } from '../shared/settings.ts';
import { readSettings } from './stage.ts';
import { APP_PROPS, bundledCode } from './synthesize.ts';

const app = new App(APP_PROPS);
const given: unknown = app.node.tryGetContext('stage') ?? process.env['ROLLCALL_STAGE'];
const stage = given === undefined ? completeSettings() : readSettings(String(given));
pipelineStack(app, { stage, code: (name) => bundledCode(name, stage) });
Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
app.synth();
