import { existsSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { parse } from 'yaml'

const house = new URL('../../', import.meta.url)
const read = (file: string) => parse(readFileSync(new URL(file, house), 'utf8'), { merge: true })
const compose = read('compose.yaml') as {
  services: Record<string, { image: string; volumes: string[]; command?: string[] }>
}

test('every file that compose mounts exists, and every configuration that a command names is mounted', () => {
  for (const [name, { volumes, command = [] }] of Object.entries(compose.services)) {
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

test('every image has an exact version', () => {
  for (const { image } of Object.values(compose.services)) expect(image).toMatch(/:v?\d+\.\d+\.\d+$/)
})

test('every component of the collector that a pipeline uses is configured, and the memory limiter comes first', () => {
  const agent = read('collector-config/otelcol/agent.yaml')
  for (const pipeline of Object.values<Record<string, string[]>>(agent.service.pipelines)) {
    for (const kind of ['receivers', 'processors', 'exporters']) {
      for (const name of pipeline[kind] ?? []) expect(Object.keys(agent[kind])).toContain(name)
    }
    expect(pipeline.processors?.[0]).toBe('memory_limiter')
  }
  for (const name of agent.service.extensions) expect(Object.keys(agent.extensions)).toContain(name)
})

test('Grafana’s data sources refer to one another by ids that exist', () => {
  const text = readFileSync(
    new URL('collector-config/grafana/provisioning/datasources/datasources.yaml', house),
    'utf8',
  )
  const uids = parse(text).datasources.map((source: { uid: string }) => source.uid)
  const references = [...text.matchAll(/datasourceUid: (\w+)/g)].map(found => found[1])
  expect(references.length).toBeGreaterThan(2)
  for (const reference of references) expect(uids).toContain(reference)
})

test('Grafana knows the interval at which Prometheus scrapes', () => {
  const { scrape_interval } = read('collector-config/prometheus/prometheus.yml').global
  const { datasources } = read('collector-config/grafana/provisioning/datasources/datasources.yaml')
  expect(datasources[0].jsonData.timeInterval).toBe(scrape_interval)
})
