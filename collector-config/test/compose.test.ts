import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { parse } from 'yaml'

const house = new URL('../../', import.meta.url)
const read = (file: string) => parse(readFileSync(new URL(file, house), 'utf8'), { merge: true })
interface Container {
  image: string
  hostname?: string
  environment?: Record<string, string>
  volumes?: string[]
  command?: string[]
  mem_limit?: string
  ports?: string[]
}
const backEnd: Record<string, Container> = read('compose.yaml').services
const withShop: Record<string, Container> = read('compose.shop.yaml').services
/** The shop's own containers; the others are the back end's, which get a volume more. */
const shop = Object.fromEntries(Object.entries(withShop).filter(([, { image }]) => image !== undefined))
const containers = { ...backEnd, ...shop }

test('every file that compose mounts exists, and every configuration that a command names is mounted', () => {
  for (const [name, { volumes = [], command = [] }] of Object.entries(containers)) {
    const mounts = volumes.map(volume => volume.split(':') as [string, string])
    for (const [source] of mounts)
      if (source.startsWith('./')) expect(existsSync(new URL(source, house)), source).toBe(true)
    const file = command.find(word => /config/.test(word.split('=')[0] ?? ''))?.split('=')[1]
    if (file === undefined) continue
    const mount = mounts.find(([, inside]) => file.startsWith(`${inside}/`))
    expect(mount, `${name}: ${file}`).toBeDefined()
    expect(existsSync(new URL(`${mount![0]}${file.slice(mount![1].length)}`, house)), file).toBe(true)
  }
})

test('the shop in containers is the shop of system.yaml, and Prometheus scrapes all of it', () => {
  type Described = { name: string; local: { command: string[]; replicas?: number } }
  const described: Described[] = read('demo-services/system.yaml').spec.services
  const instances = described
    .filter(({ local }) => local.command.includes('@shaketable/sdk/register'))
    .flatMap(({ name, local: { replicas = 1 } }) =>
      Array.from({ length: replicas }, (_, n) => [`${name}-${n + 1}`, name]),
    )
  const contained = Object.entries(shop).filter(([, { environment }]) => environment?.OTEL_SERVICE_NAME)
  expect(contained.map(([name, { environment }]) => [name, environment?.OTEL_SERVICE_NAME])).toEqual(instances)
  for (const [name, { hostname }] of contained) expect(hostname).toBe(name)

  type Target = { labels: { job: string }; targets: string[] }
  const scraped: Target[] = read('demo-services/targets.yaml')
  expect(scraped.flatMap(({ labels, targets }) => targets.map(target => [target, labels.job]))).toEqual(
    instances.map(([host, job]) => [`${host}:9464`, job]),
  )
  const urls = Object.values(contained[0]![1].environment ?? {}).flatMap(
    value => value.match(/http:\/\/[\w-]+(?=:3000)/g) ?? [],
  )
  for (const url of urls) expect(instances.map(([host]) => `http://${host}`)).toContain(url)
})

test('every image has an exact version', () => {
  for (const { image } of Object.values(containers)) expect(image).toMatch(/:v?\d+\.\d+(\.\d+)?(-\w+)*$/)
})

test('every container has a limit of memory, and publishes its ports to this machine alone', () => {
  for (const [name, { mem_limit, ports = [] }] of Object.entries(containers)) {
    expect(mem_limit, name).toBeDefined()
    for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:/)
  }
})

test('every component of a collector that a pipeline uses is configured, and the memory limiter comes first', () => {
  for (const form of ['agent', 'gateway']) {
    const config = read(`collector-config/otelcol/${form}.yaml`)
    const named = (kind: string) => Object.keys({ ...config[kind], ...(kind !== 'processors' && config.connectors) })
    for (const pipeline of Object.values<Record<string, string[]>>(config.service.pipelines)) {
      for (const kind of ['receivers', 'processors', 'exporters'])
        for (const name of pipeline[kind] ?? []) expect(named(kind)).toContain(name)
      expect(pipeline.processors?.[0]).toBe('memory_limiter')
    }
    for (const name of config.service.extensions) expect(named('extensions')).toContain(name)
  }
})

test('spans become metrics before traces are sampled', () => {
  const { pipelines } = read('collector-config/otelcol/gateway.yaml').service
  const sampling = Object.entries<Record<string, string[]>>(pipelines).filter(([, { processors }]) =>
    processors?.includes('tail_sampling'),
  )
  expect(sampling.map(([name]) => name)).toEqual(['traces/kept'])
  expect(pipelines['traces/all'].exporters).toEqual(['span_metrics', ...pipelines['traces/kept'].receivers])
})

test('what is sent to another place too goes where the gateway sends it besides', () => {
  const { pipelines } = read('collector-config/otelcol/gateway.yaml').service
  for (const file of readdirSync(new URL('collector-config/otelcol/also', house))) {
    const changed = read(`collector-config/otelcol/also/${file}`).service.pipelines
    for (const [name, lists] of Object.entries<Record<string, string[]>>(changed)) {
      // Merging the files replaces these lists.
      for (const [kind, list] of Object.entries(lists))
        expect(list, file).toEqual(expect.arrayContaining(pipelines[name][kind]))
    }
  }
})

test('Grafana’s data sources refer to one another by ids that exist', () => {
  const text = readFileSync(
    new URL('collector-config/grafana/provisioning/datasources/datasources.yaml', house),
    'utf8',
  )
  const uids = parse(text).datasources.map((source: { uid: string }) => source.uid)
  const references = [...text.matchAll(/datasourceUid: (\w+)/g)].map(found => found[1])
  expect([...new Set(references)].sort()).toEqual(['loki', 'prometheus', 'tempo'])
  for (const reference of references) expect(uids).toContain(reference)
})

test('Grafana knows the interval at which Prometheus scrapes', () => {
  const { scrape_interval } = read('collector-config/prometheus/prometheus.yml').global
  const { datasources } = read('collector-config/grafana/provisioning/datasources/datasources.yaml')
  expect(datasources[0].jsonData.timeInterval).toBe(scrape_interval)
})
