namespace Taba.Bench;

/// <summary>The median pass of each contender in each round, in seconds.</summary>
sealed class RoundTimes
{
    /// <summary>Libraries choose their kernels and order their weights in the first passes.</summary>
    const int WarmUp = 2;

    readonly Dictionary<Contender, double[]> _seconds;

    RoundTimes(Dictionary<Contender, double[]> seconds) => _seconds = seconds;

    /// <summary>
    /// Measures. Every round has all contenders, each round beginning with the next of them, so that none always runs on what the same
    /// other one left in the caches.
    /// </summary>
    public static RoundTimes Measure(IReadOnlyList<Contender> contenders, int rounds, CancellationToken cancellationToken)
    {
        foreach (var contender in contenders)
        {
            for (var i = 0; i < WarmUp; i++)
                contender.Pass();
        }
        var seconds = contenders.ToDictionary(c => c, _ => new double[rounds]);
        for (var round = 0; round < rounds; round++)
        {
            for (var i = 0; i < contenders.Count; i++)
            {
                var contender = contenders[(round + i) % contenders.Count];
                seconds[contender][round] = contender.Round(cancellationToken);
            }
        }
        return new(seconds);
    }

    /// <summary>By round.</summary>
    public IReadOnlyList<double> Seconds(Contender contender) => _seconds[contender];

    /// <summary>How often as fast as another one it is: of the ratios of the rounds.</summary>
    public Spread Ratio(Contender contender, Contender other) => Spread.Of(_seconds[other].Zip(_seconds[contender], (a, b) => a / b));

    /// <summary>Billions of floating-point operations a second.</summary>
    public Spread GigaFlops(Contender contender) => Spread.Of(_seconds[contender].Select(s => contender.Operations / s / 1e9));

    /// <summary>A contender's rate over the best rate of some probes in the same round.</summary>
    public Spread Share(Contender contender, IReadOnlyList<Contender> probes) => Spread.Of(_seconds[contender].Select(
        (seconds, round) => contender.Operations / seconds / probes.Max(p => p.Operations / _seconds[p][round])));
}
