import { exitCode } from '@shaketable/slo'
import { Argument, Command, type Option } from 'commander'
import type { World } from '../world.ts'

const shells = ['bash', 'zsh', 'fish'] as const

/** A command as a shell completes it. */
interface Completed {
  /** The words before it: `` for the program itself, `slo`, `slo rules`. */
  path: string
  words: { word: string; description: string }[]
  /** Options that take a value, which is a file unless its choices are known. */
  taking: { flags: string[]; choices: readonly string[] }[]
}

/** `shaketable completion SHELL`: generated from the definition of the commands, so that it is never behind. */
export function completionCommand(world: World, conclude: (code: number) => void): Command {
  const command = new Command('completion')
    .description('Print a completion script: source <(shaketable completion bash).')
    .addArgument(new Argument('<shell>', 'which shell').choices(shells))
    .action((shell: (typeof shells)[number]) => {
      const commands = flatten(command.parent!, '')
      world.stdout.write(scripts[shell](commands))
      conclude(exitCode.pass)
    })
  return command
}

function flatten(command: Command, path: string): Completed[] {
  const options: readonly Option[] = command.createHelp().visibleOptions(command)
  const own: Completed = {
    path,
    words: [
      ...command.commands.map(each => ({ word: each.name(), description: each.description() })),
      ...command.registeredArguments.flatMap(({ argChoices = [], description }) =>
        argChoices.map(word => ({ word, description })),
      ),
      ...options.flatMap(each => flagsOf(each).map(word => ({ word, description: each.description }))),
    ],
    taking: options
      .filter(each => each.required || each.optional)
      .map(each => ({ flags: flagsOf(each), choices: each.argChoices ?? [] })),
  }
  return [own, ...command.commands.flatMap(each => flatten(each, `${path} ${each.name()}`.trim()))]
}

const flagsOf = ({ short, long }: Option): string[] => [long, short].filter(flag => flag !== undefined && flag !== null)

const bash = (commands: Completed[]): string => `# shaketable completion bash
_shaketable() {
  local word="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}" path="" each
  for each in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$path $each" in
${commands
  .filter(({ path }) => path !== '')
  .map(
    ({ path }) =>
      `      ${quoted(`${path.split(' ').slice(0, -1).join(' ')} ${path.split(' ').at(-1)}`)}) path=${quoted(path)} ;;`,
  )
  .join('\n')}
    esac
  done
  case "$path|$before" in
${commands.flatMap(({ path, taking }) => taking.flatMap(({ flags, choices }) => flags.map(flag => `    ${quoted(`${path}|${flag}`)}) ${choices.length > 0 ? `COMPREPLY=($(compgen -W ${quoted(choices.join(' '))} -- "$word"))` : 'COMPREPLY=($(compgen -f -- "$word"))'}; return ;;`))).join('\n')}
  esac
  case "$path" in
${commands.map(({ path, words }) => `    ${quoted(path)}) COMPREPLY=($(compgen -W ${quoted(words.map(({ word }) => word).join(' '))} -- "$word")) ;;`).join('\n')}
  esac
  [[ "$word" == -* ]] || COMPREPLY+=($(compgen -f -- "$word"))
}
complete -o filenames -F _shaketable shaketable
`

const scripts = {
  bash,
  // zsh reads bash's completion as it is.
  zsh: (commands: Completed[]) => `#compdef shaketable
autoload -U +X bashcompinit && bashcompinit
${bash(commands)}`,
  fish: (commands: Completed[]) => `# shaketable completion fish
${commands
  .flatMap(({ path, words, taking }) => {
    const names = path === '' ? [] : path.split(' ')
    const below = commands.filter(
      each => each.path.split(' ').length === names.length + 1 && each.path.startsWith(path) && each.path !== path,
    )
    const when =
      path === ''
        ? '__fish_use_subcommand'
        : [
            ...names.map(name => `__fish_seen_subcommand_from ${name}`),
            ...(below.length > 0
              ? [`not __fish_seen_subcommand_from ${below.map(each => each.path.split(' ').at(-1)).join(' ')}`]
              : []),
          ].join('; and ')
    return words.map(({ word, description }) => {
      const takes = taking.find(({ flags }) => flags.includes(word))
      const what = word.startsWith('--')
        ? `-l ${word.slice(2)}`
        : word.startsWith('-')
          ? `-s ${word.slice(1)}`
          : `-a ${word}`
      const value = !takes ? '' : takes.choices.length > 0 ? ` -x -a ${quoted(takes.choices.join(' '))}` : ' -r'
      return `complete -c shaketable -n ${quoted(when)} ${what}${value} -d ${quoted(description)}`
    })
  })
  .join('\n')}
`,
} satisfies Record<(typeof shells)[number], (commands: Completed[]) => string>

/** In single quotes, for any of the shells. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}
