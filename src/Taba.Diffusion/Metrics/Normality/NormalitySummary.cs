namespace Taba.Diffusion.Metrics.Normality;

/// <summary>Samples whose values look normal, and the others.</summary>
/// <param name="Accepted">p above 0.05.</param>
/// <param name="Rejected">The others.</param>
public readonly record struct NormalitySummary(long Accepted, long Rejected)
{
    /// <summary>0 to 1; NaN without samples. About 0.95 of normal ones.</summary>
    public double AcceptedShare => Accepted / (double)(Accepted + Rejected);

    /// <summary>The numbers with upstream's keys, of which those with a % are shares.</summary>
    public IReadOnlyDictionary<string, double> Named() => new Dictionary<string, double>
    {
        ["n_rej"] = Rejected,
        ["%_rej"] = Rejected / (double)(Accepted + Rejected),
        ["n_acc"] = Accepted,
        ["%_acc"] = AcceptedShare,
    };
}
