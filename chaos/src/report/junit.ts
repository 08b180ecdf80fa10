import { type Markup, markup } from './markup.ts'
import type { ExperimentReport, SuiteReport, Verdict } from './model.ts'
import type { Reporter } from './reporter.ts'
import { count, percent } from './units.ts'

/**
 * `junit.xml`, as CI systems show it: a suite an experiment, a case an objective or expectation. A fail is a failure,
 * void is an error, inconclusive is a failure of that type; what was only observed is skipped.
 */
export const junit: Reporter = {
  fileName: 'junit.xml',
  render: report => `<?xml version="1.0" encoding="UTF-8"?>\n${document(report)}\n`,
}

interface Case {
  name: string
  verdict: Verdict
  judged: boolean
  detail: string
}

function document(report: SuiteReport): Markup {
  const suites = report.experiments.map(experiment => ({ experiment, cases: casesOf(experiment) }))
  const cases = suites.flatMap(suite => suite.cases)
  return markup`<testsuites name="${report.system}" ${tally(cases)} time="${seconds(report.durationMs)}">
${suites.map(({ experiment, cases }) => suiteElement(experiment, cases))}</testsuites>`
}

function suiteElement(experiment: ExperimentReport, cases: Case[]): Markup {
  const time = experiment.phases.at(-1)?.endMs ?? 0
  return markup`  <testsuite name="${experiment.name}" ${tally(cases)} skipped="${cases.filter(one => !one.judged).length}" time="${seconds(time)}" timestamp="${experiment.startedAt}" file="${experiment.file}">
    <properties>
      <property name="title" value="${experiment.title}"/>
      <property name="seed" value="${experiment.seed}"/>
      <property name="verdict" value="${experiment.verdict}"/>
    </properties>
${cases.map(one => caseElement(experiment, one))}  </testsuite>
`
}

function caseElement(experiment: ExperimentReport, one: Case): Markup {
  return markup`    <testcase classname="${experiment.name}" name="${one.name}" file="${experiment.file}">${outcome(one)}</testcase>
`
}

function outcome({ verdict, judged, detail }: Case): Markup {
  if (!judged) return markup`<skipped message="observed, not judged: ${detail}"/>`
  if (verdict === 'pass') return markup`<system-out>${detail}</system-out>`
  if (verdict === 'void') return markup`<error type="void" message="${detail}">${detail}</error>`
  return markup`<failure type="${verdict}" message="${detail}">${detail}</failure>`
}

function casesOf(experiment: ExperimentReport): Case[] {
  const cases: Case[] = [
    ...experiment.objectives.map(objective => ({
      name: `objective ${objective.name}`,
      verdict: objective.verdict,
      judged: objective.judged,
      detail: `${percent(objective.ratio)} of ${count(objective.total)} good (95% interval ${percent(objective.interval[0])} to ${percent(objective.interval[1])}), target ${percent(objective.target)}`,
    })),
    ...experiment.expectations.map(({ name, verdict, detail }) => ({ name, verdict, judged: true, detail })),
  ]
  const told = experiment.verdict === 'pass' || cases.some(one => one.judged && one.verdict === experiment.verdict)
  if (told) return cases
  const detail = experiment.reasons.join('\n') || `the experiment is ${experiment.verdict}`
  return [...cases, { name: 'the experiment as a whole', verdict: experiment.verdict, judged: true, detail }]
}

function tally(cases: Case[]): Markup {
  const judged = cases.filter(one => one.judged)
  const errors = judged.filter(one => one.verdict === 'void').length
  const failures = judged.filter(one => one.verdict === 'fail' || one.verdict === 'inconclusive').length
  return markup`tests="${cases.length}" failures="${failures}" errors="${errors}"`
}

function seconds(ms: number): string {
  return (Number.isFinite(ms) ? ms / 1000 : 0).toFixed(3)
}
