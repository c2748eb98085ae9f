// Package resources: what the autoscaler asks for pods.
package resources

type EndpointsCounter interface {
	ReadyCount() (int, error)
	NotReadyCount() (int, error)
}
