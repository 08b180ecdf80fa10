/** All tests that need a Kubernetes, on one control plane, one after the other. */
import { afterAll, beforeAll } from 'vitest'
import { startCluster, stopCluster } from './kubernetes/cluster.ts'
import './kubernetes/contract.ts'
import './kubernetes/pods.ts'
import './kubernetes/services.ts'
import './kubernetes/role.ts'
import './kubernetes/engines.ts'
import './kubernetes/runs.ts'
import './kubernetes/keeper.ts'
import './kubernetes/toolkit.ts'
import './kubernetes/page.ts'

beforeAll(startCluster)
afterAll(stopCluster)
