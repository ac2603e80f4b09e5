using Taba.Diffusion.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace Taba.Diffusion.Tests.Native;

/// <summary>
/// A scalar is there for as long as libtorch reads it, whatever the garbage collector does meanwhile. The calls here read their scalar
/// at each term and are long enough for a collection: a scalar that nothing holds is freed within them.
/// </summary>
public sealed class ScalarsTests
{
    const int Terms = 20_000;
    const int CallsWithCollections = 300;
    const int MostCalls = 20_000;

    [Fact]
    public void IndexAdd_HeldScalars_OutliveCollectionsInTheCall()
    {
        using var scope = NewDisposeScope();
        // Two columns: then libtorch adds one row of terms after the other, each with the factor as it is at that moment.
        var (sums, index, terms) = (zeros(1, 2), zeros(Terms, dtype: ScalarType.Int64), ones(Terms, 2));
        using var collector = new Collector();
        var proven = 0;
        for (var call = 0; call < MostCalls && proven < CallsWithCollections; call++)
        {
            sums.zero_();
            var before = collector.Collections;
            sums.index_add_(0, index, terms, Scalars.Two);
            using (var half = 0.5.ToScalar())
                sums.index_add_(0, index, terms, half);
            // The first of them may have begun before the call.
            proven += collector.Collections - before >= 2 ? 1 : 0;
            Assert.Equal([2.5f * Terms, 2.5f * Terms], sums.data<float>().ToArray());
        }
        Assert.Equal(CallsWithCollections, proven);
    }

    /// <summary>A thread that collects the younger objects and waits for their finalizers, again and again.</summary>
    sealed class Collector : IDisposable
    {
        readonly Thread _thread;
        volatile int _collections;
        volatile bool _stopped;

        public Collector()
        {
            _thread = new Thread(Run) { IsBackground = true };
            _thread.Start();
        }

        public int Collections => _collections;

        public void Dispose()
        {
            _stopped = true;
            _thread.Join();
        }

        void Run()
        {
            while (!_stopped)
            {
                GC.Collect(1);
                GC.WaitForPendingFinalizers();
                _collections++;
            }
        }
    }
}
