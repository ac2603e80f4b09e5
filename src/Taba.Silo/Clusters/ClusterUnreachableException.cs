namespace Taba.Silo.Clusters;

/// <summary>A cluster's servers or silos do not answer: exit status 3, the same command continues. Never holds a secret.</summary>
public sealed class ClusterUnreachableException(string message, Exception? inner = null) : Exception(message, inner);
