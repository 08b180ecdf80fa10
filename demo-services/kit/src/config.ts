/** What the environment says about a service; read once at its start. */

/** Where this service listens: `HOST` and `PORT`; port 0 is any free one. */
export const listenAt = {
  host: process.env.HOST ?? '127.0.0.1',
  port: Number(process.env.PORT ?? 0),
}

/** The base URLs of a peer's replicas: `ORDERS_URL=http://a:1,http://b:2`. Throws when the variable is missing. */
export function replicasOf(service: string): string[] {
  const variable = `${service.toUpperCase().replaceAll('-', '_')}_URL`
  const urls = (process.env[variable] ?? '').split(',').filter(Boolean)
  if (urls.length === 0)
    throw new Error(`${variable} is not set: expected the base URLs of ${service}, comma-separated`)
  return urls
}

/** The PostgreSQL server: `DATABASE_URL`, else the one at `POSTGRES_URL` (`tcp://host:port`). */
export function databaseServer(env: NodeJS.ProcessEnv = process.env): URL {
  if (env.DATABASE_URL) return new URL(env.DATABASE_URL)
  if (!env.POSTGRES_URL) throw new Error('neither DATABASE_URL nor POSTGRES_URL is set: expected one of them')
  const { hostname, port } = new URL(env.POSTGRES_URL)
  return new URL(`postgres://postgres@${hostname}:${port}/postgres`)
}
