module collimate.dev/tools/yamloracle

go 1.26.0

require (
	go.yaml.in/yaml/v2 v2.4.4
	go.yaml.in/yaml/v3 v3.0.5
	go.yaml.in/yaml/v4 v4.0.0-rc.6
	sigs.k8s.io/yaml v1.6.0
)
