/** Labels that no service sets: Prometheus adds them by what the scrape configuration says of a target. */
export const scraped = { service: 'job', instance: 'instance', environment: 'deployment_environment_name' } as const

/** The matchers of the variables `service` and `environment`; "All" takes in targets without an environment too. */
export const ofEnvironment = `${scraped.environment}=~"$environment"`
export const ofService = `${scraped.service}="$service",${ofEnvironment}`

/** The window of every rate: Grafana makes it from the step and the scrape interval. */
export const rate = '[$__rate_interval]'
