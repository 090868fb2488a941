package apply

import (
	"maps"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// GroupVersion of KKP's Cluster and Seed (kubermatic/kubermatic v2.31).
var groupVersion = schema.GroupVersion{Group: "kubermatic.k8c.io", Version: "v1"}

// Cluster is KKP's Cluster, cut down to what is needed here. What is not a
// field is never decoded: above all status.address.adminToken, a secret.
// It is for reading only: written back, it would wipe the rest of the object.
type Cluster struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec   ClusterSpec   `json:"spec,omitempty"`
	Status ClusterStatus `json:"status,omitempty"`
}

// ClusterSpec is the part of the specification that matters for allowlists.
type ClusterSpec struct {
	HumanReadableName string `json:"humanReadableName,omitempty"`
	ExposeStrategy    string `json:"exposeStrategy,omitempty"`
	Pause             bool   `json:"pause,omitempty"`
	PauseReason       string `json:"pauseReason,omitempty"`
	Cloud             Cloud  `json:"cloud,omitempty"`
	// AllowedIPRanges is nil where the field is absent, which KKP takes for
	// something else than an empty list.
	AllowedIPRanges *AllowedIPRanges `json:"apiServerAllowedIPRanges,omitempty"`
}

// Cloud says where a cluster runs.
type Cloud struct {
	Datacenter   string `json:"dc,omitempty"`
	ProviderName string `json:"providerName,omitempty"`
}

// AllowedIPRanges is the allowlist as KKP stores it: any strings.
type AllowedIPRanges struct {
	CIDRBlocks []string `json:"cidrBlocks"`
}

// ClusterStatus is the part of the status that matters for allowlists.
type ClusterStatus struct {
	NamespaceName string `json:"namespaceName,omitempty"`
	ErrorReason   string `json:"errorReason,omitempty"`
	ErrorMessage  string `json:"errorMessage,omitempty"`
}

// ClusterList is a list of Clusters.
type ClusterList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Cluster `json:"items"`
}

// Seed is KKP's Seed, cut down to the ranges that KKP adds to allowlists.
type Seed struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`
	Spec              SeedSpec `json:"spec,omitempty"`
}

// SeedSpec holds both lists of a Seed that reach the load balancers, and what
// else of it matters to lists.
type SeedSpec struct {
	// DefaultClusterTemplate names the template that KKP fills Clusters from.
	DefaultClusterTemplate string `json:"defaultClusterTemplate,omitempty"`
	// Datacenters by name.
	Datacenters   map[string]Datacenter `json:"datacenters,omitempty"`
	DefaultRanges []string              `json:"defaultAPIServerAllowedIPRanges,omitempty"`
	NodeportProxy struct {
		Envoy struct {
			LoadBalancerService struct {
				SourceRanges []string `json:"sourceRanges,omitempty"`
			} `json:"loadBalancerService,omitempty"`
		} `json:"envoy,omitempty"`
	} `json:"nodeportProxy,omitempty"`
}

// Datacenter is the part of a datacenter that opens a way around the lists.
type Datacenter struct {
	Spec struct {
		// APIServerServiceType is that of Service apiserver-external of the
		// clusters there; empty: as their expose strategy has it.
		APIServerServiceType string `json:"apiServerServiceType,omitempty"`
	} `json:"spec"`
}

// SeedList is a list of Seeds.
type SeedList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Seed `json:"items"`
}

// AddToScheme registers the trimmed types under KKP's names.
func AddToScheme(s *runtime.Scheme) error {
	s.AddKnownTypes(groupVersion, &Cluster{}, &ClusterList{}, &Seed{}, &SeedList{})
	metav1.AddToGroupVersion(s, groupVersion)
	return nil
}

// DeepCopyObject copies a Cluster.
func (c *Cluster) DeepCopyObject() runtime.Object {
	out := *c
	c.ObjectMeta.DeepCopyInto(&out.ObjectMeta)
	if c.Spec.AllowedIPRanges != nil {
		out.Spec.AllowedIPRanges = &AllowedIPRanges{CIDRBlocks: slices.Clone(c.Spec.AllowedIPRanges.CIDRBlocks)}
	}
	return &out
}

// DeepCopyObject copies a list of Clusters.
func (l *ClusterList) DeepCopyObject() runtime.Object {
	out := *l
	l.ListMeta.DeepCopyInto(&out.ListMeta)
	out.Items = make([]Cluster, len(l.Items))
	for i := range l.Items {
		out.Items[i] = *l.Items[i].DeepCopyObject().(*Cluster)
	}
	return &out
}

// DeepCopyObject copies a Seed.
func (s *Seed) DeepCopyObject() runtime.Object {
	out := *s
	s.ObjectMeta.DeepCopyInto(&out.ObjectMeta)
	out.Spec.DefaultRanges = slices.Clone(s.Spec.DefaultRanges)
	out.Spec.Datacenters = maps.Clone(s.Spec.Datacenters)
	service := &out.Spec.NodeportProxy.Envoy.LoadBalancerService
	service.SourceRanges = slices.Clone(service.SourceRanges)
	return &out
}

// DeepCopyObject copies a list of Seeds.
func (l *SeedList) DeepCopyObject() runtime.Object {
	out := *l
	l.ListMeta.DeepCopyInto(&out.ListMeta)
	out.Items = make([]Seed, len(l.Items))
	for i := range l.Items {
		out.Items[i] = *l.Items[i].DeepCopyObject().(*Seed)
	}
	return &out
}
