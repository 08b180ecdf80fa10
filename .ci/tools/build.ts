// Builds every program that the real tests need, so that no test's time limit holds a compiler. On a warm cache it does nothing.
import { goProgram, goPrograms } from './go.ts'

for (const name of goPrograms) goProgram(name)
