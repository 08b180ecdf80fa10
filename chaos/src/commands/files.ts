import { readdir, readFile, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { exitCode, ShaketableError } from '@shaketable/slo'
import type { FileSource } from '../experiment/read.ts'
import type { World } from '../world.ts'

/** Reads relative to where the command was called. */
export function fileSource(world: World): FileSource {
  return { read: path => readFile(resolve(world.cwd, path), 'utf8') }
}

/**
 * A folder stands for the YAML files directly in it, by name; a file for itself, whether it exists or not. A folder without
 * any is refused: a run of nothing must not be green.
 */
export async function expandFiles(paths: string[], world: World): Promise<string[]> {
  const expanded = await Promise.all(
    paths.map(async path => {
      const found = await stat(resolve(world.cwd, path)).catch(() => undefined)
      if (!found?.isDirectory()) return [path]
      const names = await readdir(resolve(world.cwd, path))
      const files = names.filter(name => /\.ya?ml$/.test(name)).sort()
      if (files.length === 0) throw nothingIn(path)
      return files.map(name => join(path, name))
    }),
  )
  return expanded.flat()
}

/** A report.json that was named on the command line. */
export async function readGiven(file: string, world: World): Promise<string> {
  return readFile(resolve(world.cwd, file), 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw new ShaketableError('SHAKETABLE_NO_SUCH_FILE', `cannot read ${file} (${cause.code})`, {
      exitCode: exitCode.invalidInput,
      hint: 'a run writes it with --report DIR',
      cause,
    })
  })
}

function nothingIn(folder: string): ShaketableError {
  return new ShaketableError('SHAKETABLE_EMPTY_FOLDER', `${folder} holds no .yaml file`, {
    exitCode: exitCode.invalidInput,
    hint: 'name the files themselves, or the folder in which they stand: folders in it are not searched',
  })
}
