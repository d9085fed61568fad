/** What `GET /api/v2/status` tells. Source: interface specification, "Status endpoint". */
import { type Answer, cborAnswer } from './answer.ts';
import type { Context } from './context.ts';

export function status({ authority }: Context): Answer {
  return cborAnswer({
    root_key: authority.rootKey,
    impl_version: 'stepwise development replica',
    replica_health_status: 'healthy',
  });
}
