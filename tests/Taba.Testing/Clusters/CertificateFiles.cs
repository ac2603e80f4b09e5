namespace Taba.Testing.Clusters;

/// <summary>The files of a certificate, of its key, and of the authority.</summary>
public sealed record CertificateFiles(string Certificate, string Key, string Authority)
{
    /// <summary>The environment of a process of a cluster that has them.</summary>
    /// <param name="cluster">The cluster's name.</param>
    public Dictionary<string, string> Settings(string cluster = TestCluster.Name) => new()
    {
        [$"Taba__Clusters__{cluster}__Tls__CertificateFile"] = Certificate,
        [$"Taba__Clusters__{cluster}__Tls__KeyFile"] = Key,
        [$"Taba__Clusters__{cluster}__Tls__AuthorityFile"] = Authority,
    };
}
