// Real servers that Debian packages, each on free ports and in a folder of its own; nothing of them is left.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { installDebianPackages } from '../../.ci/tools/debian.ts'
import { freePort } from '../../.ci/tools/free-port.ts'
import { goProgram } from '../../.ci/tools/go.ts'
import { classPath } from '../../.ci/tools/maven.ts'
import { until } from './service.ts'

export interface Engine {
  url: string
  stop(): Promise<void>
}

export async function startRedis(): Promise<Engine> {
  installDebianPackages('redis-server')
  const port = await freePort()
  const folder = temporary()
  const child = start('redis-server', ['--port', `${port}`, '--bind', '127.0.0.1', '--save', '', '--dir', folder])
  return running(`redis://127.0.0.1:${port}`, child, folder)
}

/** Three masters that share the slots; the URL is the first one's. */
export async function startRedisCluster(): Promise<Engine> {
  installDebianPackages('redis-server')
  const nodes = await Promise.all(
    [0, 1, 2].map(async () => {
      const [port, bus] = [await freePort(), await freePort()]
      const folder = temporary()
      const args = ['--port', `${port}`, '--bind', '127.0.0.1', '--save', '', '--dir', folder]
      const child = start('redis-server', [...args, '--cluster-enabled', 'yes', '--cluster-port', `${bus}`])
      return { port, bus, engine: await running(`redis://127.0.0.1:${port}`, child, folder) }
    }),
  )
  const stop = async () => {
    await Promise.all(nodes.map(({ engine }) => engine.stop()))
  }
  try {
    for (const [at, { port }] of nodes.entries()) {
      const slot = (of: number) => Math.floor((of * 16_384) / nodes.length)
      await redisCommand(port, `CLUSTER ADDSLOTSRANGE ${slot(at)} ${slot(at + 1) - 1}`)
      await redisCommand(port, `CLUSTER SET-CONFIG-EPOCH ${at + 1}`)
    }
    const [first, ...others] = nodes
    for (const { port, bus } of others) await redisCommand(first!.port, `CLUSTER MEET 127.0.0.1 ${port} ${bus}`)
    const whole = async (port: number) => {
      const info = await redisCommand(port, 'CLUSTER INFO')
      return info.includes('cluster_state:ok') && info.includes(`cluster_known_nodes:${nodes.length}`)
    }
    for (const { port } of nodes) await until(() => whole(port), 90_000)
    return { url: first!.engine.url, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

function redisCommand(port: number, command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(`${command}\r\n`))
    socket.once('error', reject)
    socket.setEncoding('utf8').once('data', (answer: string) => {
      socket.destroy()
      if (answer.startsWith('-')) reject(new Error(`${command}: ${answer}`))
      else resolve(answer)
    })
  })
}

/** The shop's PostgreSQL, which comes by npm. */
export async function startPostgres(): Promise<Engine> {
  const port = await freePort()
  const program = fileURLToPath(new URL('../../demo-services/postgres/src/main.ts', import.meta.url))
  const child = start(process.execPath, [program], { ...process.env, PORT: `${port}` })
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`
  const engine = await running(url, child, temporary())
  const answers = async () => {
    const one = new pg.Client(url)
    one.on('error', () => {})
    return one.connect().then(
      () => one.end().then(() => true),
      () => false,
    )
  }
  try {
    await until(answers, 90_000)
  } catch (error) {
    await engine.stop()
    throw error
  }
  return engine
}

export async function startMariadb(): Promise<Engine> {
  installDebianPackages('mariadb-server')
  const port = await freePort()
  const folder = temporary()
  const as = process.getuid?.() === 0 ? ['--user=root'] : []
  const own = ['--no-defaults', ...as, `--datadir=${folder}/data`]
  execFileSync('mariadb-install-db', [...own, '--auth-root-authentication-method=normal', '--skip-test-db'], {
    stdio: 'pipe',
  })
  const network = ['--bind-address=127.0.0.1', `--port=${port}`, `--socket=${folder}/socket`]
  const child = start('mariadbd', [...own, ...network, '--innodb-flush-log-at-trx-commit=0'])
  return running(`mysql://root@127.0.0.1:${port}/mysql`, child, folder)
}

export async function startRabbitmq(): Promise<Engine> {
  installDebianPackages('rabbitmq-server')
  const [port, distribution, epmd] = [await freePort(), await freePort(), await freePort()]
  const folder = temporary()
  const env = {
    PATH: process.env.PATH,
    HOME: folder,
    ERL_EPMD_PORT: `${epmd}`,
    ERL_EPMD_ADDRESS: '127.0.0.1',
    RABBITMQ_NODENAME: `tested${port}@localhost`,
    RABBITMQ_NODE_IP_ADDRESS: '127.0.0.1',
    RABBITMQ_NODE_PORT: `${port}`,
    RABBITMQ_DIST_PORT: `${distribution}`,
    RABBITMQ_MNESIA_BASE: join(folder, 'data'),
    RABBITMQ_LOG_BASE: join(folder, 'log'),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, 'plugins'),
    RABBITMQ_CONFIG_FILE: join(folder, 'none'),
    RABBITMQ_CONF_ENV_FILE: join(folder, 'none'),
    ERL_CRASH_DUMP: '/dev/null',
  }
  const child = start('/usr/lib/rabbitmq/bin/rabbitmq-server', [], env)
  // The name server of Erlang would stay.
  const stopEpmd = () => execFileSync('epmd', ['-kill'], { env, stdio: 'ignore' })
  return running(`amqp://guest:guest@127.0.0.1:${port}`, child, folder, stopEpmd)
}

/** MongoDB itself comes from no registry: FerretDB answers its protocol, over SQLite. */
export async function startFerretdb(): Promise<Engine> {
  const program = goProgram('ferretdb')
  const port = await freePort()
  const folder = temporary()
  const child = start(program, [`127.0.0.1:${port}`, folder])
  return running(`mongodb://127.0.0.1:${port}/`, child, folder)
}

export async function startKafka(): Promise<Engine> {
  installDebianPackages('openjdk-17-jre-headless')
  const jars = await classPath('kafka')
  const [port, controller] = [await freePort(), await freePort()]
  const folder = temporary()
  // What `kafka-storage format` writes; it would cost another start of Java.
  const meta = {
    version: 1,
    'cluster.id': '4L6g3nShT-eMCtK--X86sw',
    'node.id': 1,
    'directory.id': 'OQ6tE1mMS5mQvYz9cX0xrA',
  }
  mkdirSync(join(folder, 'data'))
  writeFileSync(join(folder, 'data/meta.properties'), properties(meta))
  const config = {
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@127.0.0.1:${controller}`,
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controller}`,
    'controller.listener.names': 'CONTROLLER',
    'log.dirs': join(folder, 'data'),
    'offsets.topic.replication.factor': 1,
    'offsets.topic.num.partitions': 1,
    'group.initial.rebalance.delay.ms': 0,
  }
  writeFileSync(join(folder, 'kafka.properties'), properties(config))
  const java = ['-XX:TieredStopAtLevel=1', '-Xmx256m', '-cp', jars, 'kafka.Kafka', join(folder, 'kafka.properties')]
  return running(`kafka://127.0.0.1:${port}`, start('java', java), folder)
}

const properties = (values: Record<string, string | number>) =>
  Object.entries(values)
    .map(([key, value]) => `${key}=${value}\n`)
    .join('')

function start(
  program: string,
  args: string[],
  env: NodeJS.ProcessEnv = process.env,
): ChildProcess & { said(): string } {
  const child = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', chunk => (said += chunk))
  return Object.assign(child, { said: () => said.slice(-4_000) })
}

async function running(
  url: string,
  child: ChildProcess & { said(): string },
  folder: string,
  afterwards = () => {},
): Promise<Engine> {
  const ended = once(child, 'close')
  const stop = async () => {
    child.kill('SIGTERM')
    await ended
    try {
      afterwards()
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  }
  const { hostname, port } = new URL(url)
  try {
    await Promise.race([
      until(() => accepts(hostname, Number(port)), 90_000),
      ended.then(() => Promise.reject(new Error(`${child.spawnfile} ended: ${child.said()}`))),
    ])
  } catch (error) {
    await stop()
    throw error
  }
  return { url, stop }
}

function accepts(host: string, port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(port, host)
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
}

const temporary = () => mkdtempSync(join(tmpdir(), 'shaketable-engine-'))
