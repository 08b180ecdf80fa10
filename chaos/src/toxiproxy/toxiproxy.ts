const callTimeoutMs = 2000

/** A proxy of a running Toxiproxy, by the address of its API. It stands in the journal. */
export interface ProxyAddress {
  api: string
  proxy: string
}

/** What is laid on a proxy, in Toxiproxy's own words (github.com/Shopify/toxiproxy, "Toxics"). */
export interface Toxic {
  name: string
  type: string
  stream: 'downstream' | 'upstream'
  toxicity: number
  attributes: Record<string, number>
}

export interface SeenProxy {
  name: string
  enabled: boolean
  listen: string
  upstream: string
  toxics: Toxic[]
}

/** The proxy as it is at this moment. */
export async function seeProxy({ api, proxy }: ProxyAddress): Promise<SeenProxy> {
  return (await call(api, 'GET', `/proxies/${proxy}`)) as SeenProxy
}

export async function addToxic({ api, proxy }: ProxyAddress, toxic: Toxic): Promise<void> {
  await call(api, 'POST', `/proxies/${proxy}/toxics`, toxic)
}

/** One that is not there needs nothing. */
export async function removeToxic({ api, proxy }: ProxyAddress, name: string): Promise<void> {
  await call(api, 'DELETE', `/proxies/${proxy}/toxics/${name}`, undefined, 404)
}

export async function enableProxy({ api, proxy }: ProxyAddress, enabled: boolean): Promise<void> {
  await call(api, 'POST', `/proxies/${proxy}`, { enabled })
}

async function call(api: string, method: string, path: string, body?: unknown, alsoFine?: number): Promise<unknown> {
  const failed = (why: string, cause?: unknown) => new Error(`Toxiproxy at ${api}: ${method} ${path} ${why}`, { cause })
  let response: Response
  try {
    response = await fetch(new URL(path, api), {
      method,
      headers: { 'content-type': 'application/json', 'user-agent': 'shaketable' },
      body: body === undefined ? null : JSON.stringify(body),
      signal: AbortSignal.timeout(callTimeoutMs),
    })
  } catch (cause) {
    throw failed(`is not answered (${((cause as Error).cause as Error | undefined)?.message ?? cause})`, cause)
  }
  const text = await response.text()
  if (response.status === alsoFine) return undefined
  if (!response.ok) throw failed(`answers ${response.status}: ${text.slice(0, 200)}`)
  return text ? JSON.parse(text) : undefined
}
