/** The environment's value of a variable, as the file declares it: `{ type: env, key: NAME, default, env_var_type }`. */
export type Setting = { value: unknown } | { wrong: string }

/** A value of `configuration` or `secrets`: itself, or where it is to be found. */
export function settingOf(declared: unknown, env: NodeJS.ProcessEnv): Setting {
  if (typeof declared !== 'object' || declared === null || Array.isArray(declared)) return { value: declared }
  const { type, key, default: otherwise, env_var_type: as = 'str' } = declared as Record<string, unknown>
  if (type === undefined) return { value: declared }
  if (type !== 'env') return { wrong: `is refused: ${JSON.stringify(type)} is not read here, only "env"` }
  if (typeof key !== 'string') return { wrong: 'names no variable: expected its key' }
  const found = env[key]
  if (found === undefined) {
    return otherwise === undefined
      ? { wrong: `the environment has no ${key}, and there is no default` }
      : { value: otherwise }
  }
  return typed(found, key, as)
}

/** The value itself is never told: it may be a secret. */
function typed(text: string, key: string, as: unknown): Setting {
  switch (as) {
    case 'str':
      return { value: text }
    case 'int':
      return /^[+-]?\d+$/.test(text.trim()) ? { value: Number(text) } : { wrong: `${key} is no whole number` }
    case 'float':
      return text.trim() !== '' && Number.isFinite(Number(text))
        ? { value: Number(text) }
        : { wrong: `${key} is no number` }
    case 'bool':
      return { value: ['1', 'true', 'yes', 'on'].includes(text.toLowerCase()) }
    case 'json':
      try {
        return { value: JSON.parse(text) }
      } catch {
        return { wrong: `${key} is no JSON` }
      }
    default:
      return { wrong: `expected env_var_type str, int, float, bool or json, saw ${JSON.stringify(as)}` }
  }
}
