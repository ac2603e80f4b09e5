namespace Taba.Silo.Engines;

/// <summary>What a device has to do, of one kind of work. Safe for several threads.</summary>
/// <param name="ofAPass">How much of it the device does in one pass at present: loads that differ by less are equal.</param>
sealed class DeviceLoad(Func<int> ofAPass)
{
    int _amount;

    /// <summary>Rows, or parts.</summary>
    public int Amount => Volatile.Read(ref _amount);

    /// <summary>Full passes.</summary>
    public int Passes => Amount / ofAPass();

    /// <summary>Adds to it, until the answer is disposed.</summary>
    public IDisposable Take(int amount) => new Work(this, amount);

    sealed class Work : IDisposable
    {
        readonly DeviceLoad _load;
        int _amount;

        public Work(DeviceLoad load, int amount)
        {
            (_load, _amount) = (load, amount);
            Interlocked.Add(ref load._amount, amount);
        }

        public void Dispose() => Interlocked.Add(ref _load._amount, -Interlocked.Exchange(ref _amount, 0));
    }
}
