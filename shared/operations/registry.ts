export { membership } from './membership.ts';
export { creation } from './creation.ts';
export { emailChange } from './email-change.ts';
export { suspend } from './suspend.ts';
export { restore } from './restore.ts';
export { deactivate } from './deactivate.ts';
export { reactivate } from './reactivate.ts';
