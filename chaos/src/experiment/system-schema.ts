import { duration, expecting, nameSchema } from '@shaketable/slo'
import { z } from 'zod'

/** The version of Shaketable's own documents. */
export const apiVersion = 'shaketable.dev/v1alpha1'

const text = z.string().min(1)
const aMethod = 'an HTTP method in capitals, e.g. "POST"'
export const methodSchema = z
  .string({ error: expecting(aMethod) })
  .regex(/^[A-Z]{1,20}$/, { error: expecting(aMethod) })
const aPath = 'a path that begins with "/"'
export const pathSchema = z.string({ error: expecting(aPath) }).regex(/^\/\S*$/, { error: expecting(aPath) })
const aVariable = 'a name of letters, digits and "_" that does not begin with a digit'
const variableName = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, { error: expecting(aVariable) })
const status = z.int().min(100).max(599)
const command = z.array(text).min(1)
const quoted = 'text (numbers, true and false in quotes)'

const local = z
  .strictObject({
    command: command.describe('The program and its arguments. A leading "node" is the Node that runs shaketable.'),
    replicas: z.int().min(1).max(50).default(1).describe('How many processes.'),
    env: z
      .record(variableName, z.string({ error: expecting(quoted) }))
      .default({})
      .describe('Added to the environment.'),
    grace: duration().prefault('5s').describe('How long SIGTERM may take before SIGKILL follows.'),
    restartDelay: duration().prefault('1s').describe('How long a process that died waits before it is started again.'),
  })
  .describe('How a service runs as local processes.')

const docker = z
  .strictObject({
    label: text.describe('Its containers: a label, key=value, e.g. com.docker.compose.service=payments.'),
    port: z
      .int()
      .min(1)
      .max(65_535)
      .optional()
      .describe('The published port of the container that takes the requests; PORT of its environment by default.'),
    restartDelay: duration().prefault('1s').describe('How long a container that a fault stopped stays down.'),
  })
  .describe('Where a service is found that already runs as Docker containers.')

const anAddress = 'the address of a Service or an ingress, e.g. "http://shop.example"'
const kubernetes = z
  .strictObject({
    selector: text.describe('Its pods: a label selector, e.g. app=payments.'),
    namespace: nameSchema.optional().describe("That of the kubeconfig's context by default."),
    port: z
      .int()
      .min(1)
      .max(65_535)
      .optional()
      .describe('The port of the pod that takes the requests; PORT of its environment, or its only port, by default.'),
    url: z
      .string({ error: expecting(anAddress) })
      .regex(/^https?:\/\/[^/\s]+/, { error: expecting(anAddress) })
      .optional()
      .describe('Where the load goes, in place of each pod: a Service or an ingress.'),
  })
  .describe('Where a service is found that already runs as Kubernetes pods.')

const aUrl = 'a base URL such as "http://127.0.0.1:8080"'
const baseUrl = (protocols: string, what: string) =>
  z.string({ error: expecting(what) }).regex(new RegExp(`^(?:${protocols})://[^\\s/@]+$`), { error: expecting(what) })

const attached = z
  .strictObject({
    url: baseUrl('https?|tcp', aUrl).describe('Where it takes requests; tcp://host:port without HTTP.'),
    admin: baseUrl('https?', aUrl).optional().describe('The health and metrics listener of the SDK.'),
    faults: baseUrl('https?', aUrl)
      .optional()
      .describe('The fault control of the SDK; https unless it is on loopback. Its key is SHAKETABLE_FAULTS_KEY.'),
  })
  .describe('An instance that runs already, and is reached by its URLs alone.')

const ready = z
  .string()
  .regex(/^(\/\S*|tcp)$/, { error: expecting('the path of the readiness probe, e.g. "/readyz", or "tcp"') })
  .default('/readyz')
  .describe('The readiness probe on the health listener, or "tcp" for a service without the SDK.')

const service = z.strictObject({
  name: nameSchema.describe('e.g. payments'),
  local: local.optional(),
  docker: docker.optional(),
  kubernetes: kubernetes.optional(),
  toxiproxy: z
    .strictObject({
      api: baseUrl('https?', aUrl).describe('Where a running Toxiproxy listens, e.g. http://127.0.0.1:8474.'),
      proxy: z
        .string()
        .regex(/^[A-Za-z0-9._-]{1,100}$/)
        .describe('The proxy there through which its callers reach it.'),
    })
    .optional()
    .describe('The Toxiproxy before it, for network faults.'),
  attach: z.array(attached).min(1).optional().describe('Where its instances run already, one entry each.'),
  ready,
})

const step = z
  .strictObject({
    request: z.strictObject({
      method: methodSchema.default('GET'),
      to: z
        .string({ error: expecting('the name of the service that receives it') })
        .describe('The service that receives it.'),
      path: pathSchema,
      headers: z.record(z.string().min(1), z.string({ error: expecting(quoted) })).default({}),
      json: z.unknown().optional().describe('Sent as JSON.'),
    }),
    expect: z.strictObject({
      status: z
        .union([status, z.array(status).min(1)], { error: expecting('a status such as 201, or a list of them') })
        .describe('The answers that are as they should be.'),
    }),
    capture: z
      .record(variableName, text)
      .default({})
      // biome-ignore lint/suspicious/noTemplateCurlyInString: the syntax itself
      .describe('Name -> path into the JSON answer, e.g. token or order.id; used as ${name} in later steps.'),
  })
  .describe('One request.')

const journey = z
  .strictObject({
    name: nameSchema,
    setup: z.array(step).default([]).describe('Runs once before the load begins.'),
    steps: z.array(step).min(1).describe('Runs once for each arrival.'),
  })
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the syntax itself
  .describe('A flow of requests. Strings may hold ${name} of a captured value, ${uuid} and ${seq}.')

export const invariant = z.strictObject({
  name: nameSchema,
  command: command.describe('Exits 0 when the rule holds.'),
  within: duration().prefault('30s').describe('How long the system may take to get there.'),
})

/** A System document as it stands in a file. */
export const systemSchema = z
  .strictObject({
    apiVersion: z.literal(apiVersion),
    kind: z.literal('System'),
    metadata: z.strictObject({
      name: nameSchema,
      description: z.string().optional(),
      protected: z.boolean().default(false).describe('Never to be shaken: a run on it is refused.'),
    }),
    spec: z.strictObject({
      services: z.array(service).min(1),
      journeys: z.array(journey).default([]),
      invariants: z.array(invariant).default([]).describe('Checked after every experiment, once the load has stopped.'),
    }),
  })
  .describe('What runs: services, and the journeys that users take through them.')

export type SystemDocument = z.output<typeof systemSchema>
export type StepDocument = z.output<typeof step>
export type InvariantDocument = z.output<typeof invariant>
