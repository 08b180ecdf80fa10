import v8 from 'node:v8'

/**
 * V8's young generation grows with what survives in it, up to 128 MB, and is hardly faster for that. From here on it stays as large as
 * it is (some 16 MB once the modules are loaded). A flag at the start of the process would do, but a command that npm installs has
 * none, and V8 reads this one each time before it grows.
 */
export function keepYoungGenerationSmall(): void {
  v8.setFlagsFromString('--semi-space-growth-factor=1')
}
