package apply

import (
	"context"
	"fmt"
	"net/http"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/json"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// quickClient is a client that takes answers to patches of Clusters apart by
// itself, for the reason that WatchQuickly has: the answer to one is a Cluster,
// and nothing has to be found out about it first.
type quickClient struct {
	client.Client
	clusters rest.Interface
}

// newQuickClient is the manager's client, on the same connection.
func newQuickClient(from client.Client, connection *rest.Config, over *http.Client) (client.Client, error) {
	clusters, err := rest.RESTClientForConfigAndClient(clusterConfig(connection), over)
	if err != nil {
		return nil, fmt.Errorf("make a client that patches clusters: %w", err)
	}
	return quickClient{from, clusters}, nil
}

// clusterConfig is a connection for requests about Clusters. What it decodes is
// refusals alone.
func clusterConfig(connection *rest.Config) *rest.Config {
	config := rest.CopyConfig(connection)
	config.APIPath, config.GroupVersion = "/apis", &groupVersion
	config.NegotiatedSerializer = clientgoscheme.Codecs.WithoutConversion()
	config.ContentType = runtime.ContentTypeJSON
	if config.UserAgent == "" {
		config.UserAgent = rest.DefaultKubernetesUserAgent()
	}
	return config
}

// Patch implements client.Writer.
func (q quickClient) Patch(ctx context.Context, obj client.Object, patch client.Patch, options ...client.PatchOption) error {
	cl, isCluster := obj.(*Cluster)
	if !isCluster {
		return q.Client.Patch(ctx, obj, patch, options...)
	}
	body, err := patch.Data(cl)
	if err != nil {
		return err
	}
	params := (&client.PatchOptions{}).ApplyOptions(options).AsPatchOptions()
	result := q.clusters.Patch(patch.Type()).Resource("clusters").Name(cl.Name).
		VersionedParams(params, metav1.ParameterCodec).Body(body).Do(ctx)
	if err := result.Error(); err != nil {
		return err
	}
	answer, err := result.Raw()
	if err != nil {
		return err
	}
	*cl = Cluster{}
	if err := json.Unmarshal(answer, cl); err != nil {
		return fmt.Errorf("take apart the answer of the API server: %w", err)
	}
	return nil
}
