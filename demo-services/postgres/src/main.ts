import { createServer } from 'node:net'
import pg from 'pg'
import { Cluster } from './cluster.ts'

const port = Number(process.env.PORT)
if (!(port > 0)) throw new Error(`PORT: saw ${process.env.PORT}, expected the port that PostgreSQL shall listen on`)

if (process.env.DATABASE_URL) {
  // Somebody else's server: see that it is there, and be ready in its place.
  const client = new pg.Client({ connectionString: process.env.DATABASE_URL, connectionTimeoutMillis: 10_000 })
  await client.connect()
  await client.end()
  createServer(socket => socket.destroy()).listen(port, process.env.HOST ?? '127.0.0.1')
} else {
  let asked = false
  // Before the cluster is made, so that a signal which comes while it is still being made ends it as well.
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      asked = true
      cluster.stop()
    })
  }
  const cluster = new Cluster(port)
  const code = await cluster.ended
  process.exitCode = asked ? 0 : (code ?? 1)
}
