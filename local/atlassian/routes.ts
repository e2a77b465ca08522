import { dataCenterRoutes } from './data-center.ts';
import { jiraGroupRoutes } from './jira-groups.ts';
import { jiraUserRoutes } from './jira-users.ts';
import { organisationSearchRoutes } from './organisation-search.ts';
import { organisationV1Routes } from './organisation-v1.ts';
import { organisationRoutes } from './organisation.ts';
import type { Route } from './router.ts';
import { siteRoutes } from './site.ts';
import { userManagementRoutes } from './user-management.ts';

/** Everything of Atlassian that the simulator answers. */
export const ROUTES: readonly Route[] = [
  ...jiraGroupRoutes,
  ...jiraUserRoutes,
  ...organisationSearchRoutes,
  ...organisationRoutes,
  ...organisationV1Routes,
  ...userManagementRoutes,
  ...dataCenterRoutes,
  ...siteRoutes,
];
