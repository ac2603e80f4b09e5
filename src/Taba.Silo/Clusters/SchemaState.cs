namespace Taba.Silo.Clusters;

/// <summary>The schema that a cluster's provider has, beside the one that this program is made for.</summary>
/// <param name="Found">The version that is there; 0 when there is none.</param>
/// <param name="Known">The newest version that this program knows, and the oldest that it works with.</param>
/// <param name="Contract">A script beyond <paramref name="Known"/> that took away what this program uses; null when none did.</param>
public sealed record SchemaState(int Found, int Known, string? Contract = null)
{
    /// <summary>Whether this program works with it. A newer one only has more, unless a contract says otherwise.</summary>
    public bool Fits => Found >= Known && Contract is null;

    /// <summary>Why it does not fit, and the command that helps.</summary>
    /// <param name="cluster">The cluster's name.</param>
    public string Misfit(string cluster) => this switch
    {
        { Found: 0 } => $"cluster {cluster} has no schema yet: an administrator makes it with `taba cluster init --cluster {cluster}`",
        { Contract: { } script } =>
            $"cluster {cluster} has schema version {Found}, and with {script} it has lost what this program of version {Known} uses: use "
            + "a newer taba",
        _ => $"cluster {cluster} has schema version {Found}, and this program needs {Known}: an administrator brings it there with "
            + $"`taba cluster migrate --cluster {cluster}`",
    };
}
