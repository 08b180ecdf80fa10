import type { RouteSyntax } from './route.ts'

/** How closely a piece of a template fits what it takes of a path: less is closer. */
const cost = { literal: 0, constrained: 1, parameter: 2, wildcard: 3 } as const

interface Template {
  text: string
  pattern: RegExp
  /** The cost of each capture group, by its name. */
  costs: ReadonlyMap<string, number>
}

const mostTemplates = 2_000

/**
 * The templates that the framework has matched in this process, by method: for a request that was answered before the
 * framework could route it. Bounded, and it never makes up a route: without exactly one best fit there is none.
 */
export class SeenRoutes {
  readonly #byMethod = new Map<string, Map<string, Template | undefined>>()
  #count = 0

  learn(method: string, template: string, syntax: RouteSyntax = 'express'): void {
    const templates = this.#byMethod.get(method) ?? new Map<string, Template | undefined>()
    if (templates.has(template) || this.#count >= mostTemplates) return
    this.#byMethod.set(method, templates.set(template, syntax === 'hapi' ? compileHapi(template) : compile(template)))
    this.#count++
  }

  /** The template that fits the path better than every other one of the method; undefined when none or several do. */
  fitting(method: string, path: string): string | undefined {
    const fits = this.#templates(method).flatMap(template => {
      const costs = fit(template, path)
      return costs ? [{ text: template.text, costs }] : []
    })
    const best = fits.filter(one => fits.every(other => other === one || isCloser(one.costs, other.costs)))
    return best[0]?.text
  }

  /** Frameworks answer HEAD by the route of GET. */
  #templates(method: string): Template[] {
    const own = this.#byMethod.get(method)
    const all = method === 'HEAD' ? new Map([...(this.#byMethod.get('GET') ?? []), ...(own ?? [])]) : own
    return [...(all?.values() ?? [])].filter(template => template !== undefined)
  }
}

/** The cost of every character of the path; undefined when the template does not fit it. */
function fit({ pattern, costs }: Template, path: string): Uint8Array | undefined {
  const groups = pattern.exec(path)?.indices?.groups
  if (!groups) return undefined
  const result = new Uint8Array(path.length).fill(cost.literal)
  for (const [name, range] of Object.entries(groups)) if (range) result.fill(costs.get(name)!, ...range)
  return result
}

/** Nowhere looser, and somewhere closer. */
function isCloser(one: Uint8Array, other: Uint8Array): boolean {
  return one.every((value, at) => value <= other[at]!) && one.some((value, at) => value < other[at]!)
}

/** Express 4's and 5's syntax: `:id`, `:id(\\d+)`, `:id?`, `{/:id}`, `*`, `*rest`, `\\` before a literal. */
const token =
  /\\(?<escaped>.)|:(?<name>[\w$]+|"[^"]+")(?<rule>\((?:\\.|[^()\\])+\))?(?<often>[?*+])?|(?<wild>\*\w*)|(?<other>[\s\S])/g

/** Undefined for what cannot be read back from its text, such as a mounted regular expression. */
function compile(text: string): Template | undefined {
  const costs = new Map<string, number>()
  let source = ''
  const group = (value: number, inner: string) => {
    const name = `g${costs.size}`
    costs.set(name, value)
    return `(?<${name}>${inner})`
  }
  for (const { groups } of text.matchAll(token)) {
    const { escaped, name, rule, often = '', wild, other = '' } = groups!
    if (escaped !== undefined) source += escapeLiteral(escaped)
    else if (wild !== undefined) source += group(cost.wildcard, '.*')
    else if (name !== undefined) {
      const one = rule ?? '[^/]+?'
      const optional = often === '?' && source.endsWith('\\/')
      if (optional) source = `${source.slice(0, -2)}(?:\\/`
      source +=
        often === '*' || often === '+'
          ? group(cost.wildcard, '.+')
          : group(rule ? cost.constrained : cost.parameter, one)
      source += optional ? ')?' : ''
    } else if (other === '{') source += '(?:'
    else if (other === '}') source += ')?'
    else if ('^$()[]|?+'.includes(other)) return undefined
    else source += escapeLiteral(other)
  }
  try {
    // As Express by default: a slash at the end is free, and so is the case. The empty group is there without a parameter.
    return { text, costs, pattern: new RegExp(`^(?<none>)${source}\\/?$`, 'di') }
  } catch {
    return undefined
  }
}

/** Hapi's: `{id}`, `{id?}`, `{path*}`, `{path*2}`; several parameters may share a segment. */
const hapiToken = /\{(?<name>\w+)(?<often>\?|\*(?<times>\d*))?\}|(?<other>[\s\S])/g

function compileHapi(text: string): Template | undefined {
  const costs = new Map<string, number>()
  let source = ''
  for (const { groups } of text.matchAll(hapiToken)) {
    const { name, often, times, other = '' } = groups!
    if (name === undefined) {
      if (other === '{' || other === '}') return undefined
      source += escapeLiteral(other)
      continue
    }
    const group = `g${costs.size}`
    costs.set(group, times === undefined ? cost.parameter : cost.wildcard)
    const segments = times ? `[^/]+(?:\\/[^/]+){${Number(times) - 1}}` : times === '' ? '.*' : '[^/]+?'
    const optional = often === '?' || times === ''
    if (optional && source.endsWith('\\/')) source = `${source.slice(0, -2)}(?:\\/(?<${group}>${segments}))?`
    else source += `(?<${group}>${segments})${optional ? '?' : ''}`
  }
  // As Hapi by default: neither the case nor a slash at the end is free.
  return { text, costs, pattern: new RegExp(`^(?<none>)${source}$`, 'd') }
}

function escapeLiteral(character: string): string {
  return /[\w]/.test(character) ? character : `\\${character}`
}
